import fs from 'node:fs/promises';
import type { JobEvent } from '../../contract/events.ts';
import { diskError, errno } from '../disk/errors.ts';
import type { ProcessIdentity } from '../state/process-identity.ts';
import { type Entry, isEnd } from './history.ts';

/** Far above the size of any journal; the rest of a larger file is not read. */
const MAX_BYTES = 64 << 20;

/** The first line of a journal: the job, its process, and the socket of that process. */
export interface JournalHead {
  journal: 1;
  job: string;
  process: ProcessIdentity;
  socket: string | null;
}

/** The readable part of a journal. */
export interface Journal {
  head: JournalHead;
  entries: Entry[];
  /** Whether it contains the final event of the job. */
  ended: boolean;
  /** Time of the last write, ms since the epoch. */
  written_at: number;
}

/** Required fields of each event, so that consumers can rely on them. */
const SHAPES: Record<JobEvent['event'], Record<string, 'string' | 'number' | 'boolean' | 'object'>> = {
  'job:started': { kind: 'string', title: 'string' },
  'job:phase': { phase: 'string' },
  'job:progress': {},
  'job:retry': { attempt: 'number', wait_ms: 'number', reason: 'string' },
  'job:warning': { message: 'string' },
  'job:item': { item: 'string', ok: 'boolean', message: 'string' },
  'job:done': { result: 'object' },
  'job:failed': { error: 'object' },
  'job:cancelled': { error: 'object' },
};

/** Reads a journal, skipping invalid lines; undefined if it does not exist, or is not a journal. */
export async function readJournal(path: string): Promise<Journal | undefined> {
  try {
    await using file = await fs.open(path);
    const { size, mtimeMs } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(size, MAX_BYTES)), 0, null, 0);
    const journal = parseJournal(buffer.toString('utf8', 0, bytesRead));
    return journal && { ...journal, written_at: mtimeMs };
  } catch (error) {
    if (errno(error) === 'ENOENT') return undefined;
    throw diskError(`Cannot read ${path}`, error);
  }
}

/** Parses the text of a journal. */
export function parseJournal(text: string): Omit<Journal, 'written_at'> | undefined {
  const [first = '', ...lines] = text.split('\n');
  const head = parseHead(first);
  if (!head) return undefined;
  const entries: Entry[] = [];
  let last = 0;
  for (const line of lines) {
    const entry = parseEntry(line, head.job);
    if (!entry || entry.seq <= last) continue;
    entries.push(entry);
    last = entry.seq;
    // Ignore anything after the final event.
    if (isEnd(entry.event)) return { head, entries, ended: true };
  }
  return { head, entries, ended: false };
}

/** Parses a line of a journal or of a job's socket; undefined if it is not an event of that job. */
export function parseEntry(line: string, job: string): Entry | undefined {
  const value = parseObject(line);
  const { seq, ...event } = value ?? {};
  if (!Number.isSafeInteger(seq) || event.job !== job || typeof event.time !== 'string') return undefined;
  const shape = SHAPES[event.event as JobEvent['event']];
  if (!shape || typeof event.event !== 'string' || !Object.hasOwn(SHAPES, event.event)) return undefined;
  for (const [name, type] of Object.entries(shape)) {
    if (typeof event[name] !== type || event[name] === null) return undefined;
  }
  return { seq: seq as number, event: event as unknown as JobEvent };
}

function parseHead(line: string): JournalHead | undefined {
  const { journal, job, process: identity, socket } = parseObject(line) ?? {};
  const { pid, start, boot } = (identity ?? {}) as Partial<ProcessIdentity>;
  if (journal !== 1 || typeof job !== 'string' || typeof pid !== 'number') return undefined;
  if (typeof start !== 'string' || typeof boot !== 'string') return undefined;
  return { journal, job, process: { pid, start, boot }, socket: typeof socket === 'string' ? socket : null };
}

/** Parses a line of JSON; undefined if it is not an object. */
export function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
