import { constants } from 'node:fs';
import fs from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BifractError } from '../../contract/errors.ts';
import { asBifractError } from '../../contract/errors.ts';
import { diskError, onDisk } from '../disk/errors.ts';
import { type Entry, isEnd, type JobHistory } from './history.ts';
import type { JournalHead } from './journal-reader.ts';

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
const PROGRESS_MS = 1_000;
/** From this size on the file is rewritten from the history, which is smaller. */
const MAX_BYTES = 8 << 20;

/**
 * Writes the journal of a job: a line for its process, then a line per event, with progress at most once a second. A write
 * error is reported once and retried with the next event; it does not fail the job.
 */
export class JournalWriter {
  readonly #path: string;
  readonly #head: JournalHead;
  readonly #history: JobHistory;
  readonly #onError: (error: BifractError) => void;
  #written = Promise.resolve();
  #progressAt = 0;
  #pendingProgress: Entry | undefined;
  readonly #queue: Entry[] = [];
  #size = 0;
  #incompleteLine = false;
  #reported = false;

  private constructor(
    path: string,
    head: JournalHead,
    history: JobHistory,
    onError: (error: BifractError) => void,
  ) {
    this.#path = path;
    this.#head = head;
    this.#history = history;
    this.#onError = onError;
  }

  /** Creates the file, which must not exist. */
  static async create(
    path: string,
    head: JournalHead,
    history: JobHistory,
    onError: (error: BifractError) => void,
  ): Promise<JournalWriter> {
    await onDisk(`Cannot create the job's journal in ${dirname(path)}`, async () => {
      await using file = await fs.open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600);
      try {
        await file.writeFile(lineOf(head));
      } catch (error) {
        // On a full disk the file may exist without its first line, and so without an owner.
        await fs.rm(path, { force: true });
        throw error;
      }
    });
    return new JournalWriter(path, head, history, onError);
  }

  /** Writes an event asynchronously. */
  add(entry: Entry): void {
    if (entry.event.event === 'job:progress' && performance.now() - this.#progressAt < PROGRESS_MS) {
      this.#pendingProgress = entry;
      return;
    }
    const pending =
      this.#pendingProgress && entry.event.event !== 'job:progress' ? [this.#pendingProgress] : [];
    this.#pendingProgress = undefined;
    if (entry.event.event === 'job:progress') this.#progressAt = performance.now();
    // Events that arrive during a write are written together.
    if (this.#queue.push(...pending, entry) > pending.length + 1) return;
    this.#written = this.#written.then(() => this.#write(this.#queue.splice(0)));
  }

  /** Resolves when everything is written or has failed. */
  async close(): Promise<void> {
    await this.#written;
  }

  async #write(entries: Entry[]): Promise<void> {
    try {
      if (this.#size > MAX_BYTES) return await this.#rewrite();
      const text = entries.map(({ seq, event }) => lineOf({ seq, ...event })).join('');
      await this.#append(`${this.#incompleteLine ? '\n' : ''}${text}`);
    } catch (error) {
      this.#incompleteLine = true;
      // The final event matters most, and the job itself may have freed space.
      if (entries.some(({ event }) => isEnd(event)) && (await this.#rewrite().then(yes, no))) return;
      if (this.#reported) return;
      this.#reported = true;
      this.#onError(asBifractError(diskError('Cannot write the journal of this job', error)));
    }
  }

  async #append(text: string): Promise<void> {
    await using file = await fs.open(this.#path, O_WRONLY | O_APPEND | O_NOFOLLOW);
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
    this.#size += bytes.length;
    this.#incompleteLine = false;
  }

  async #rewrite(): Promise<void> {
    const temporary = join(dirname(this.#path), `.${this.#head.job}`);
    const lines = this.#history.entries().map(({ seq, event }) => lineOf({ seq, ...event }));
    const text = lineOf(this.#head) + lines.join('');
    try {
      await fs.writeFile(temporary, text, { mode: 0o600 });
      await fs.rename(temporary, this.#path);
      this.#size = text.length;
      this.#incompleteLine = false;
    } catch (error) {
      await fs.rm(temporary, { force: true }).catch(() => undefined);
      throw error;
    }
  }
}

const yes = () => true;
const no = () => false;

function lineOf(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
