import { constants } from 'node:fs';
import fs from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BifractError } from '../errors.ts';
import { asBifractError } from '../errors.ts';
import { diskError, onDisk } from './disk-errors.ts';
import { type Entry, isEnd, type JobHistory } from './job-history.ts';
import type { JournalHead } from './read-journal.ts';

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
const PROGRESS_MS = 1_000;
/** From this size on the file is written anew from what is worth keeping, which is less. */
const MOST_BYTES = 8 << 20;

/**
 * The journal of a job on disk: a line for its process, then a line for each event, progress once a second at most.
 * What cannot be written is told once and tried again with the next event: no job ends for its journal.
 */
export class JournalFile {
  readonly #path: string;
  readonly #head: JournalHead;
  readonly #history: JobHistory;
  readonly #trouble: (error: BifractError) => void;
  #work = Promise.resolve();
  #progressAt = 0;
  #held: Entry | undefined;
  readonly #queue: Entry[] = [];
  #size = 0;
  #cut = false;
  #told = false;

  private constructor(
    path: string,
    head: JournalHead,
    history: JobHistory,
    trouble: (error: BifractError) => void,
  ) {
    this.#path = path;
    this.#head = head;
    this.#history = history;
    this.#trouble = trouble;
  }

  /** Makes the file, which must not be there. */
  static async create(
    path: string,
    head: JournalHead,
    history: JobHistory,
    trouble: (error: BifractError) => void,
  ): Promise<JournalFile> {
    await onDisk(`Cannot make the journal of the job in ${dirname(path)}`, async () => {
      await using file = await fs.open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600);
      try {
        await file.writeFile(lineOf(head));
      } catch (error) {
        // On a full disk the file is made and its first line is not: nobody could tell whose it is.
        await fs.rm(path, { force: true });
        throw error;
      }
    });
    return new JournalFile(path, head, history, trouble);
  }

  /** Writes an event, some time soon. */
  add(entry: Entry): void {
    if (entry.event.event === 'job:progress' && performance.now() - this.#progressAt < PROGRESS_MS) {
      this.#held = entry;
      return;
    }
    const held = this.#held && entry.event.event !== 'job:progress' ? [this.#held] : [];
    this.#held = undefined;
    if (entry.event.event === 'job:progress') this.#progressAt = performance.now();
    // What comes while the disk is busy is written in one go.
    if (this.#queue.push(...held, entry) > held.length + 1) return;
    this.#work = this.#work.then(() => this.#write(this.#queue.splice(0)));
  }

  /** Resolves when everything is written, or was found not to be possible. */
  async close(): Promise<void> {
    await this.#work;
  }

  async #write(entries: Entry[]): Promise<void> {
    try {
      if (this.#size > MOST_BYTES) return await this.#rewrite();
      const text = entries.map(({ seq, event }) => lineOf({ seq, ...event })).join('');
      await this.#append(`${this.#cut ? '\n' : ''}${text}`);
    } catch (error) {
      this.#cut = true;
      // The end matters most, and room may have been made by what the job itself removed.
      if (entries.some(({ event }) => isEnd(event)) && (await this.#rewrite().then(yes, no))) return;
      if (this.#told) return;
      this.#told = true;
      this.#trouble(asBifractError(diskError('The journal of this job cannot be written', error)));
    }
  }

  async #append(text: string): Promise<void> {
    await using file = await fs.open(this.#path, O_WRONLY | O_APPEND | O_NOFOLLOW);
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
    this.#size += bytes.length;
    this.#cut = false;
  }

  async #rewrite(): Promise<void> {
    const temporary = join(dirname(this.#path), `.${this.#head.job}`);
    const lines = this.#history.entries().map(({ seq, event }) => lineOf({ seq, ...event }));
    const text = lineOf(this.#head) + lines.join('');
    try {
      await fs.writeFile(temporary, text, { mode: 0o600 });
      await fs.rename(temporary, this.#path);
      this.#size = text.length;
      this.#cut = false;
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
