import { randomBytes } from 'node:crypto';
import { asBifractError, type BifractError } from '../../contract/errors.ts';
import { WrongType } from '../files/errors.ts';
import type { OpenFolder } from '../files/open-folder.ts';
import { onState, stateError } from '../state/open-state.ts';
import type { ProcessIdentity } from '../state/process-identity.ts';
import {
  type Entry,
  formatEntry,
  formatLine,
  isEnd,
  parseEntry,
  parseObject,
  throttleProgress,
} from './entry.ts';
import type { JobHistory } from './history.ts';

/** Progress is written at most this often, and less often the longer the job runs: about as many lines per doubling. */
const PROGRESS_MS = 1_000;
const PROGRESS_SHARE = 1 / 120;
/** From this size on the file is rewritten from the history, which is smaller. */
const MAX_BYTES = 8 << 20;
/** Far above the size of any journal; the rest of a larger file is not read. */
const MAX_READ_BYTES = 64 << 20;
const MAX_HEAD_BYTES = 8 << 10;

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

/**
 * Writes the journal of a job: a line for its process, then a line per event, with progress at most once a second. A write
 * error is reported once and retried with the next event; it does not fail the job.
 */
export class JournalWriter {
  readonly #open: () => Promise<OpenFolder>;
  readonly #name: string;
  readonly #head: JournalHead;
  readonly #history: JobHistory;
  readonly #onError: (error: BifractError) => void;
  #written = Promise.resolve();
  readonly #queue: Entry[] = [];
  #size = 0;
  #incompleteLine = false;
  #reported = false;

  private constructor(
    open: () => Promise<OpenFolder>,
    head: JournalHead,
    history: JobHistory,
    onError: (error: BifractError) => void,
  ) {
    this.#open = open;
    this.#name = journalName(head.job);
    this.#head = head;
    this.#history = history;
    this.#onError = onError;
  }

  /** Creates the file, which must not exist. `open` opens the folder of journals, for each write again. */
  static async create(
    open: () => Promise<OpenFolder>,
    head: JournalHead,
    history: JobHistory,
    onError: (error: BifractError) => void,
  ): Promise<JournalWriter> {
    await onState("Cannot create the job's journal", async () => {
      await using folder = await open();
      const name = journalName(head.job);
      await using file = await folder.create(name);
      try {
        await file.writeFile(formatLine(head));
      } catch (error) {
        // On a full disk the file may exist without its first line, and so without an owner.
        await folder.unlink(name);
        throw error;
      }
    });
    return new JournalWriter(open, head, history, onError);
  }

  /** Writes an event asynchronously. */
  readonly add = throttleProgress(progressInterval(), (entries) => {
    // Events that arrive during a write are written together.
    if (this.#queue.push(...entries) > entries.length) return;
    this.#written = this.#written.then(() => this.#write(this.#queue.splice(0)));
  });

  /** Resolves when everything is written or has failed. */
  async close(): Promise<void> {
    await this.#written;
  }

  async #write(entries: Entry[]): Promise<void> {
    try {
      if (this.#size > MAX_BYTES) return await this.#rewrite();
      const text = entries.map(formatEntry).join('');
      await this.#append(`${this.#incompleteLine ? '\n' : ''}${text}`);
    } catch (error) {
      this.#incompleteLine = true;
      // The final event matters most, and the job itself may have freed space.
      if (entries.some(({ event }) => isEnd(event)) && (await this.#rewrite().then(yes, no))) return;
      if (this.#reported) return;
      this.#reported = true;
      this.#onError(asBifractError(stateError('Cannot write the journal of this job', error)));
    }
  }

  async #append(text: string): Promise<void> {
    await using folder = await this.#open();
    await using file = await folder.openAppend(this.#name);
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
    this.#size += bytes.length;
    this.#incompleteLine = false;
  }

  async #rewrite(): Promise<void> {
    const text = formatLine(this.#head) + this.#history.entries().map(formatEntry).join('');
    await using folder = await this.#open();
    const temporary = `.${this.#head.job}.${randomBytes(6).toString('hex')}`;
    try {
      await using file = await folder.create(temporary);
      await file.writeFile(text);
      await folder.rename(temporary, this.#name);
      this.#size = text.length;
      this.#incompleteLine = false;
    } catch (error) {
      await folder.unlink(temporary).catch(() => undefined);
      throw error;
    }
  }
}

/** The interval grows with the age of the journal. */
function progressInterval(): () => number {
  const started = performance.now();
  return () => Math.max(PROGRESS_MS, (performance.now() - started) * PROGRESS_SHARE);
}

/** Name of the file of a job's journal. */
export function journalName(job: string): string {
  return `${job}.ndjson`;
}

const yes = () => true;
const no = () => false;

/** Reads a journal, skipping invalid lines; undefined if it does not exist, or is not a journal. */
export async function readJournal(folder: OpenFolder, name: string): Promise<Journal | undefined> {
  try {
    const bytes = await folder.read(name, MAX_READ_BYTES, { sole: true });
    const stats = await folder.lstat(name);
    const journal = bytes && parseJournal(bytes.toString());
    return journal && { ...journal, written_at: stats?.mtimeMs ?? Date.now() };
  } catch (error) {
    if (error instanceof WrongType) return undefined;
    throw stateError(`Cannot read ${folder.pathOf(name)}`, error);
  }
}

/** The first line of a journal; undefined if there is no journal. Reads only the beginning of the file. */
export async function readHead(folder: OpenFolder, name: string): Promise<JournalHead | undefined> {
  try {
    const bytes = await folder.read(name, MAX_HEAD_BYTES, { sole: true });
    return bytes && parseHead(bytes.toString().split('\n', 1)[0] ?? '');
  } catch (error) {
    if (error instanceof WrongType) return undefined;
    throw stateError(`Cannot read ${folder.pathOf(name)}`, error);
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

function parseHead(line: string): JournalHead | undefined {
  const { journal, job, process: identity, socket } = parseObject(line) ?? {};
  const { pid, start, boot } = (identity ?? {}) as Partial<ProcessIdentity>;
  if (journal !== 1 || typeof job !== 'string' || typeof pid !== 'number') return undefined;
  if (typeof start !== 'string' || typeof boot !== 'string') return undefined;
  return { journal, job, process: { pid, start, boot }, socket: typeof socket === 'string' ? socket : null };
}
