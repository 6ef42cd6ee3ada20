import fs from 'node:fs/promises';
import type { JobEvent } from '../ports/job-board.ts';
import { diskError, errno } from './disk-errors.ts';
import { type Entry, isEnd } from './job-history.ts';
import type { ProcessIdentity } from './process-identity.ts';

/** No journal of ours comes near this; of a larger file the rest is not read. */
const MOST_BYTES = 64 << 20;

/** What a journal begins with: whose it is, and where its process listens. */
export interface JournalHead {
  journal: 1;
  job: string;
  process: ProcessIdentity;
  socket: string | null;
}

/** A journal as far as it can be read. */
export interface Journal {
  head: JournalHead;
  entries: Entry[];
  /** Whether the job told its end. */
  ended: boolean;
  /** When it was last written, ms since the epoch. */
  written_at: number;
}

/** What must be there of each event, so that whoever folds it can trust it. */
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

/** Reads a journal; undefined where there is none, or the file is none. Lines that are no events are passed over. */
export async function readJournal(path: string): Promise<Journal | undefined> {
  try {
    await using file = await fs.open(path);
    const { size, mtimeMs } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(size, MOST_BYTES)), 0, null, 0);
    const journal = parseJournal(buffer.toString('utf8', 0, bytesRead));
    return journal && { ...journal, written_at: mtimeMs };
  } catch (error) {
    if (errno(error) === 'ENOENT') return undefined;
    throw diskError(`Cannot read ${path}`, error);
  }
}

/** The same from its text. */
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
    // Nothing a job says after its end is true.
    if (isEnd(entry.event)) return { head, entries, ended: true };
  }
  return { head, entries, ended: false };
}

/** A line of a journal, or of the talk with a job's process, as the event of that job; undefined where it is none. */
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
  const { journal, job, process: owner, socket } = parseObject(line) ?? {};
  const { pid, start, boot } = (owner ?? {}) as Partial<ProcessIdentity>;
  if (journal !== 1 || typeof job !== 'string' || typeof pid !== 'number') return undefined;
  if (typeof start !== 'string' || typeof boot !== 'string') return undefined;
  return { journal, job, process: { pid, start, boot }, socket: typeof socket === 'string' ? socket : null };
}

/** The object of a line of JSON; undefined where it holds none. */
export function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
