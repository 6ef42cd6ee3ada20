import fs from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { BifractError, cancelled } from '../errors.ts';
import type { BoardJob, JobBoard, JobEvent, Publication, PublishOptions } from '../ports/job-board.ts';
import { diedEvent } from './died.ts';
import { diskError, errno } from './disk-errors.ts';
import { makePrivateFolder } from './env-writer.ts';
import { cancelBySocket, followSocket } from './job-client.ts';
import { isEnd, JobHistory } from './job-history.ts';
import { JobSocket } from './job-socket.ts';
import { JournalFile } from './journal-file.ts';
import { sweepJournals } from './journal-sweep.ts';
import { identityOf, isRunning } from './process-identity.ts';
import { type Journal, readJournal } from './read-journal.ts';

const JOURNAL = /^([\w-]{1,100})\.ndjson$/;
/** How often a journal is looked at whose process runs but cannot be talked to. */
const POLL_MS = 500;

/**
 * The jobs of an installation, seen from any process: a journal each in `.bifract/journal`, and a socket each in
 * `.bifract/run` while its process runs. Both folders are for their owner alone.
 */
export class FolderBoard implements JobBoard {
  readonly #home: string;
  readonly #journals: string;
  readonly #run: string;

  /** The folders are made with the first job; the installation itself must be there. */
  constructor(install: string) {
    this.#home = join(install, '.bifract');
    this.#journals = join(this.#home, 'journal');
    this.#run = join(this.#home, 'run');
  }

  async publish(id: string, { onCancel, onTrouble }: PublishOptions): Promise<Publication> {
    for (const folder of [this.#home, this.#journals, this.#run]) await makePrivateFolder(folder);
    const history = new JobHistory();
    const cancel = () => onCancel(cancelled());
    const socket = await JobSocket.listen(this.#run, id, history, cancel);
    try {
      const process_ = (await identityOf(process.pid)) ?? { pid: process.pid, start: '', boot: '' };
      const head = { journal: 1, job: id, process: process_, socket: socket.path } as const;
      const file = await JournalFile.create(this.#path(id), head, history, onTrouble);
      const sweeping = this.sweep();
      return {
        add(event) {
          const entry = history.add(event);
          file.add(entry);
          socket.send(entry);
        },
        close: async () => {
          await file.close();
          await Promise.all([socket.close(), sweeping]);
        },
      };
    } catch (error) {
      await socket.close();
      throw error;
    }
  }

  async ids(): Promise<string[]> {
    try {
      const names = await fs.readdir(this.#journals);
      return names.flatMap((name) => JOURNAL.exec(name)?.[1] ?? []);
    } catch (error) {
      if (errno(error) === 'ENOENT') return [];
      throw diskError(`Cannot read ${this.#journals}`, error);
    }
  }

  async find(id: string): Promise<BoardJob | undefined> {
    const seen = await this.#look(id);
    return seen && { id, live: seen.live, events: seen.events.map(({ event }) => event) };
  }

  async *follow(id: string, { signal }: { signal?: AbortSignal } = {}): AsyncGenerator<JobEvent> {
    for (let last = 0; ; await wait(POLL_MS, undefined, { signal })) {
      const seen = await this.#look(id);
      if (!seen) throw unknown(id);
      for (const { seq, event } of seen.events) {
        // The end of a process that died is made up after its journal, which lags behind what the process told.
        if (seq <= last && !isEnd(event)) continue;
        last = seq;
        yield event;
      }
      if (!seen.live) return;
      for await (const { seq, event } of this.#talk(id, seen.journal, last, signal)) {
        last = seq;
        yield event;
        if (isEnd(event)) return;
      }
    }
  }

  async cancel(id: string, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const seen = await this.#look(id);
    if (!seen) throw unknown(id);
    if (!seen.live) throw notRunning(id);
    const { socket, process: owner } = seen.journal.head;
    if (socket !== null && (await cancelBySocket(socket, signal))) return;
    if (!(await this.#look(id))?.live) throw notRunning(id);
    throw new BifractError('BUSY', `The process ${owner.pid} of the job ${id} does not answer`, {
      hint: `It may be overloaded, or stopped: \`kill -CONT ${owner.pid}\` on its machine lets it go on, and only then does a cancel, or \`kill -TERM ${owner.pid}\`, end the job.`,
    });
  }

  /** What stands in its way is told by what cannot be written. */
  async sweep(): Promise<void> {
    await sweepJournals(this.#journals, this.#run).catch(() => undefined);
  }

  /** What the process tells; nothing where it cannot be reached. */
  async *#talk(id: string, { head }: Journal, after: number, signal?: AbortSignal) {
    if (head.socket === null) return;
    try {
      yield* followSocket(head.socket, id, after, signal);
    } catch {
      signal?.throwIfAborted();
    }
  }

  /** A journal, and whether its process runs. The end of one that is gone without a word is made up. */
  async #look(id: string) {
    const before = await readJournal(this.#path(id));
    if (!before) return undefined;
    if (!before.ended && (await isRunning(before.head.process)))
      return { journal: before, live: true, events: before.entries };
    // It may have told its end between the two looks.
    const journal = before.ended ? before : ((await readJournal(this.#path(id))) ?? before);
    if (journal.ended) return { journal, live: false, events: journal.entries };
    const log = join(this.#journals, `${id}.log`);
    const said = await fs.stat(log).catch(() => undefined);
    const end = diedEvent(id, journal, said?.size ? log : undefined);
    return { journal, live: false, events: [...journal.entries, end] };
  }

  #path(id: string): string {
    if (JOURNAL.test(`${id}.ndjson`)) return join(this.#journals, `${id}.ndjson`);
    throw unknown(id);
  }
}

function unknown(id: string): BifractError {
  return new BifractError('NOT_FOUND', `There is no job ${id}`, {
    hint: '`bifract jobs --all` lists those that are known.',
  });
}

function notRunning(id: string): BifractError {
  return new BifractError('NOT_FOUND', `The job ${id} does not run any more`, {
    hint: `\`bifract attach ${id}\` tells how it ended.`,
  });
}
