import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { BifractError } from '../../contract/errors.ts';
import type { JobEvent } from '../../contract/events.ts';
import type { BusJob, JobBus, JobLog, PublishOptions } from '../../ports/job-bus.ts';
import type { OpenFolder } from '../files/open-folder.ts';
import { makeState, onState, openState, trustedUsers } from '../state/open-state.ts';
import { isRunning } from '../state/process-identity.ts';
import { type Entry, isEnd } from './entry.ts';
import { FolderJobLog } from './job-log.ts';
import { type Journal, type JournalHead, journalName, readHead, readJournal } from './journal.ts';
import { logName } from './launcher.ts';
import { cancelBySocket, followSocket } from './socket-client.ts';
import { openTemporaryFolder, socketName } from './socket-server.ts';
import { sweepJournals } from './sweep.ts';

const JOURNAL = /^([\w-]{1,100})\.ndjson$/;
/** Interval for reading the journal of a running process that cannot be reached by its socket. */
const POLL_MS = 500;

/**
 * The jobs of an installation, visible to all its processes. Each job has a journal in `.bifract/journal`, and a socket
 * in `.bifract/run` while its process runs. Both folders have mode 0700.
 */
export class FolderJobBus implements JobBus<JobEvent> {
  readonly #install: string;
  readonly #resumeHint: (kind: string) => string | undefined;

  /**
   * The folders are created with the first job; the installation must exist. `resumeHint` says what to do after a crash
   * of a kind of job that can be resumed.
   */
  constructor(install: string, resumeHint: (kind: string) => string | undefined) {
    this.#resumeHint = resumeHint;
    this.#install = install;
  }

  async publish(id: string, options: PublishOptions): Promise<JobLog<JobEvent>> {
    requireId(id);
    const log = await onState('Cannot publish the job', () =>
      FolderJobLog.open(
        id,
        {
          journal: () => makeState(this.#install, 'journal'),
          run: () => makeState(this.#install, 'run'),
        },
        options,
      ),
    );
    const swept = this.sweep();
    return {
      add: (event) => log.add(event),
      close: async () => {
        await Promise.all([log.close(), swept]);
      },
    };
  }

  async ids(): Promise<string[]> {
    return onState('Cannot list the jobs', async () => {
      await using journals = await openState(this.#install, 'journal');
      const entries = (await journals?.entries()) ?? [];
      return entries.flatMap((entry) => (entry.isFile() ? (JOURNAL.exec(entry.name)?.[1] ?? []) : []));
    });
  }

  async endedBefore(id: string, time: number): Promise<boolean> {
    requireId(id);
    return onState(`Cannot read the journal of job ${id}`, async () => {
      await using journals = await openState(this.#install, 'journal');
      const stats = await journals?.lstat(journalName(id));
      if (!journals || !stats || stats.mtimeMs >= time) return false;
      const head = await readHead(journals, journalName(id));
      return head !== undefined && !(await isRunning(head.process));
    });
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
      for await (const { seq, event } of this.#followSocket(id, found.journal.head, last, signal)) {
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
    const { head } = found.journal;
    if (await this.#withSocket(head, (path) => cancelBySocket(path, signal))) return;
    if (!(await this.#read(id))?.live) throw notRunning(id);
    throw new BifractError('BUSY', `Process ${head.process.pid} of job ${id} does not respond`, {
      hint: `If it is stopped, continue it with \`kill -CONT ${head.process.pid}\` on its machine: it takes the request then. Otherwise use \`kill -TERM ${head.process.pid}\`.`,
    });
  }

  /** Ignores errors: writing a journal reports the same problems. */
  async sweep(): Promise<void> {
    await sweepJournals(this.#install).catch(() => undefined);
  }

  /** Events from the process; none if it cannot be reached. */
  async *#followSocket(id: string, head: JournalHead, after: number, signal?: AbortSignal) {
    try {
      await using folder = await this.#socketFolder(head);
      const path = folder && (await pathOfSocket(folder, head));
      if (path !== undefined) yield* followSocket(path, id, after, signal);
    } catch {
      signal?.throwIfAborted();
    }
  }

  async #withSocket(head: JournalHead, use: (path: string) => Promise<boolean>): Promise<boolean> {
    await using folder = await this.#socketFolder(head).catch(() => undefined);
    const path = folder && (await pathOfSocket(folder, head));
    return path !== undefined && (await use(path));
  }

  /**
   * The folder of a job's socket. A journal can name any socket of the system: only one of this program is connected to.
   */
  async #socketFolder({ job, socket }: JournalHead): Promise<OpenFolder | undefined> {
    if (socket === null) return undefined;
    if (basename(socket) === socketName(job)) return openState(this.#install, 'run');
    return openTemporaryFolder(socket, await trustedUsers(this.#install));
  }

  /** A journal, and whether its process runs. Adds the final event of a crashed process. */
  async #read(id: string) {
    const read = () => this.#readJournal(id);
    const first = await read();
    if (!first) return undefined;
    if (!first.ended && (await isRunning(first.head.process)))
      return { journal: first, live: true, events: first.entries };
    // The job may have ended since the journal was read.
    const journal = first.ended ? first : ((await read()) ?? first);
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
    const stderr = join(this.#install, '.bifract', 'journal', logName(job));
    const has_output = (await this.#logSize(job)) > 0;
    const time = timeOf(written_at);
    const error = {
      code: 'JOB_DIED',
      message: `The process of the job (PID ${head.process.pid}) was killed, or the machine went down`,
      hint: has_output ? `${hint} Its last output is in ${stderr}.` : hint,
    } as const;
    return { seq: (entries.at(-1)?.seq ?? 0) + 1, event: { event: 'job:failed', job, time, error } };
  }

  async #readJournal(id: string): Promise<Journal | undefined> {
    requireId(id);
    return onState(`Cannot read the journal of job ${id}`, async () => {
      await using journals = await openState(this.#install, 'journal');
      return journals && (await readJournal(journals, journalName(id)));
    });
  }

  async #logSize(id: string): Promise<number> {
    await using journals = await openState(this.#install, 'journal').catch(() => undefined);
    const found = await journals?.lstat(logName(id)).catch(() => undefined);
    return found?.isFile() ? found.size : 0;
  }
}

/** Undefined if no socket has its name: connecting would follow a link there to any socket of the system. */
async function pathOfSocket(folder: OpenFolder, { socket }: JournalHead): Promise<string | undefined> {
  const name = basename(socket ?? '');
  return (await folder.lstat(name).catch(() => undefined))?.isSocket() ? folder.at(name) : undefined;
}

/** A file system may have times that a `Date` has not. */
function timeOf(ms: number): string {
  const date = new Date(ms);
  return (Number.isNaN(date.getTime()) ? new Date() : date).toISOString();
}

function requireId(id: string): void {
  if (!JOURNAL.test(journalName(id))) throw unknownJob(id);
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
