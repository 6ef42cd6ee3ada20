import fs from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { BifractError } from '../../contract/errors.ts';
import type { JobEvent } from '../../contract/events.ts';
import type { BusJob, JobBus, JobLog, PublishOptions } from '../../ports/job-bus.ts';
import { diskError, errno } from '../disk/errors.ts';
import { makePrivateFolder } from '../state/env-file.ts';
import { isRunning } from '../state/process-identity.ts';
import { type Entry, isEnd } from './entry.ts';
import { FolderJobLog } from './job-log.ts';
import { type Journal, readJournal } from './journal.ts';
import { cancelBySocket, followSocket } from './socket-client.ts';
import { sweepJournals } from './sweep.ts';

const JOURNAL = /^([\w-]{1,100})\.ndjson$/;
/** Interval for reading the journal of a running process that cannot be reached by its socket. */
const POLL_MS = 500;

/**
 * The jobs of an installation, visible to all its processes. Each job has a journal in `.bifract/journal`, and a socket
 * in `.bifract/run` while its process runs. Both folders have mode 0700.
 */
export class FolderJobBus implements JobBus<JobEvent> {
  readonly #home: string;
  readonly #journals: string;
  readonly #run: string;
  readonly #resumeHint: (kind: string) => string | undefined;

  /**
   * The folders are created with the first job; the installation must exist. `resumeHint` says what to do after a crash
   * of a kind of job that can be resumed.
   */
  constructor(install: string, resumeHint: (kind: string) => string | undefined) {
    this.#resumeHint = resumeHint;
    this.#home = join(install, '.bifract');
    this.#journals = join(this.#home, 'journal');
    this.#run = join(this.#home, 'run');
  }

  async publish(id: string, options: PublishOptions): Promise<JobLog<JobEvent>> {
    for (const folder of [this.#home, this.#journals, this.#run]) await makePrivateFolder(folder);
    const log = await FolderJobLog.open(id, { journal: this.#path(id), run: this.#run }, options);
    const swept = this.sweep();
    return {
      add: (event) => log.add(event),
      close: async () => {
        await Promise.all([log.close(), swept]);
      },
    };
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

  async find(id: string): Promise<BusJob<JobEvent> | undefined> {
    const found = await this.#read(id);
    return found && { id, live: found.live, events: found.events.map(({ event }) => event) };
  }

  async *follow(id: string, { signal }: { signal?: AbortSignal } = {}): AsyncGenerator<JobEvent> {
    for (let last = 0; ; await wait(POLL_MS, undefined, { signal })) {
      const found = await this.#read(id);
      if (!found) throw unknownJob(id);
      for (const { seq, event } of found.events) {
        // The final event of a crashed process is numbered after its journal, which lags behind its socket.
        if (seq <= last && !isEnd(event)) continue;
        last = seq;
        yield event;
      }
      if (!found.live) return;
      for await (const { seq, event } of this.#followSocket(id, found.journal, last, signal)) {
        last = seq;
        yield event;
        if (isEnd(event)) return;
      }
    }
  }

  async cancel(id: string, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const found = await this.#read(id);
    if (!found) throw unknownJob(id);
    if (!found.live) throw notRunning(id);
    const { socket, process: owner } = found.journal.head;
    if (socket !== null && (await cancelBySocket(socket, signal))) return;
    if (!(await this.#read(id))?.live) throw notRunning(id);
    throw new BifractError('BUSY', `Process ${owner.pid} of job ${id} does not respond`, {
      hint: `If it is stopped, continue it with \`kill -CONT ${owner.pid}\` on its machine: it takes the request then. Otherwise use \`kill -TERM ${owner.pid}\`.`,
    });
  }

  /** Ignores errors: writing a journal reports the same problems. */
  async sweep(): Promise<void> {
    await sweepJournals(this.#journals, this.#run).catch(() => undefined);
  }

  /** Events from the process; none if it cannot be reached. */
  async *#followSocket(id: string, { head }: Journal, after: number, signal?: AbortSignal) {
    if (head.socket === null) return;
    try {
      yield* followSocket(head.socket, id, after, signal);
    } catch {
      signal?.throwIfAborted();
    }
  }

  /** A journal, and whether its process runs. Adds the final event of a crashed process. */
  async #read(id: string) {
    const first = await readJournal(this.#path(id));
    if (!first) return undefined;
    if (!first.ended && (await isRunning(first.head.process)))
      return { journal: first, live: true, events: first.entries };
    // The job may have ended since the journal was read.
    const journal = first.ended ? first : ((await readJournal(this.#path(id))) ?? first);
    if (journal.ended) return { journal, live: false, events: journal.entries };
    const end = await this.#crashEvent(id, journal);
    return { journal, live: false, events: [...journal.entries, end] };
  }

  /** The final event of a job whose process was killed or lost with its machine. */
  async #crashEvent(job: string, { head, entries, written_at }: Journal): Promise<Entry> {
    const start = entries[0]?.event;
    const hint =
      (start?.event === 'job:started' && this.#resumeHint(start.kind)) ||
      'The next job, or opening the console, cleans up after it. Then start it again.';
    const stderr = join(this.#journals, `${job}.log`);
    const has_output = ((await fs.stat(stderr).catch(() => undefined))?.size ?? 0) > 0;
    const time = new Date(written_at).toISOString();
    const error = {
      code: 'JOB_DIED',
      message: `The process of the job (PID ${head.process.pid}) was killed, or the machine went down`,
      hint: has_output ? `${hint} Its last output is in ${stderr}.` : hint,
    } as const;
    return { seq: (entries.at(-1)?.seq ?? 0) + 1, event: { event: 'job:failed', job, time, error } };
  }

  #path(id: string): string {
    if (JOURNAL.test(`${id}.ndjson`)) return join(this.#journals, `${id}.ndjson`);
    throw unknownJob(id);
  }
}

function unknownJob(id: string): BifractError {
  return new BifractError('NOT_FOUND', `Job ${id} does not exist`, {
    hint: 'Run `bifract jobs --all` to see all jobs.',
  });
}

function notRunning(id: string): BifractError {
  return new BifractError('NOT_FOUND', `Job ${id} is not running`, {
    hint: `Run \`bifract attach ${id}\` to see how it ended.`,
  });
}
