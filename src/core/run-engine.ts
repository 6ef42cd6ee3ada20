import { randomBytes } from 'node:crypto';
import { archiveRestoreStarted, runArchiveRestore, serveArchiveRestorePlan } from './archive-restore-jobs.ts';
import type { BackupFile, Engine, ExtractPart, JobHandle, JobOutcome, JobRequest } from './engine.ts';
import { asBifractError, BifractError, cancelled } from './errors.ts';
import type { Emit, JobEvent, JobEventMap, JobKind } from './events.ts';
import { fileJobStarted, runFileJob } from './file-jobs.ts';
import { ServedFiles } from './file-queries.ts';
import type { FileQueries } from './files.ts';
import type { Key } from './format/index.ts';
import { checkHealth } from './health.ts';
import { archive } from './jobs/archive.ts';
import { audited } from './jobs/audited.ts';
import type { JobContext } from './jobs/context.ts';
import { extract } from './jobs/extract.ts';
import { recover } from './jobs/recover.ts';
import { locate } from './locate.ts';
import { backupTime, stampOf } from './policy/names.ts';
import type { Storage, StoredObject } from './ports/storage.ts';
import type { CallOptions } from './ports/types.ts';
import { restoreStarted, runBackup, runRestoreJob, servePlan } from './restore-jobs.ts';
import type { Services } from './services.ts';
import {
  destroys,
  isStorageJob,
  runStorageJob,
  serveCopyPlan,
  serveDeletePlan,
  storageJobStarted,
} from './storage-jobs.ts';
import { runUpkeepJob, servePrunePlan, serveRotatePlan, upkeepStarted } from './upkeep-jobs.ts';

interface Running {
  controller: AbortController;
  outcome: Promise<JobOutcome>;
}

/** The engine on the given services. Jobs run in this process. */
export function createEngine(services: Services): Engine {
  return new RunningEngine(services);
}

class RunningEngine implements Engine {
  readonly installation;
  readonly #services: Services;
  readonly #files: FileQueries;
  readonly #listeners = new Set<(event: JobEvent) => void>();
  readonly #running = new Map<string, Running>();

  constructor(services: Services) {
    this.#services = services;
    this.#files = new ServedFiles(services);
    this.installation = services.installation;
  }

  health(options?: CallOptions) {
    return checkHealth(this.#services, options);
  }

  async fractals(options?: CallOptions) {
    return (await this.#services.catalog()).fractals(options);
  }

  async groups(filter?: { fractal_id?: string }, options?: CallOptions) {
    return (await this.#services.catalog()).groups(filter, options);
  }

  async archives(filter?: { fractal_id?: string }, options?: CallOptions) {
    return (await this.#services.catalog()).archives(filter, options);
  }

  async backups(options?: CallOptions): Promise<BackupFile[]> {
    const storage = await this.#services.backups();
    const files: BackupFile[] = [];
    for await (const object of storage.list('bifract-backup-', options)) {
      const file = backupFile(storage, object);
      if (file) files.push(file);
    }
    return files.sort((a, b) => (a.created_at < b.created_at ? 1 : -1));
  }

  async recover(options?: CallOptions) {
    return recover(this.#services, options);
  }

  async *extract(file: string, part: ExtractPart, options?: CallOptions) {
    const keys = await this.#services.keys();
    yield* extract({ ...(await locate(this.#services, file, options)), keys }, part, options);
  }

  show(...query: Parameters<FileQueries['show']>) {
    return this.#files.show(...query);
  }

  search(...query: Parameters<FileQueries['search']>) {
    return this.#files.search(...query);
  }

  browse(...query: Parameters<FileQueries['browse']>) {
    return this.#files.browse(...query);
  }

  planAdopt(...query: Parameters<FileQueries['planAdopt']>) {
    return this.#files.planAdopt(...query);
  }

  orphans(...query: Parameters<FileQueries['orphans']>) {
    return this.#files.orphans(...query);
  }

  planRestore(...query: Parameters<Engine['planRestore']>) {
    return servePlan(this.#services, ...query);
  }

  planPrune(...query: Parameters<Engine['planPrune']>) {
    return servePrunePlan(this.#services, ...query);
  }

  planRotate(options?: CallOptions) {
    return serveRotatePlan(this.#services, options);
  }

  planDelete(...query: Parameters<Engine['planDelete']>) {
    return serveDeletePlan(this.#services, ...query);
  }

  planCopy(...query: Parameters<Engine['planCopy']>) {
    return serveCopyPlan(this.#services, ...query);
  }

  planArchiveRestore(...query: Parameters<Engine['planArchiveRestore']>) {
    return serveArchiveRestorePlan(this.#services, ...query);
  }

  start(request: JobRequest): JobHandle {
    const id = jobId(request.kind, this.#services.now());
    const controller = new AbortController();
    const outcome = this.#run(id, request, controller.signal);
    this.#running.set(id, { controller, outcome });
    return { id, kind: request.kind, outcome };
  }

  cancel(job: string, reason = cancelled()) {
    this.#running.get(job)?.controller.abort(reason);
  }

  subscribe(listener: (event: JobEvent) => void) {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  async close(reason = cancelled()) {
    const running = [...this.#running.values()];
    for (const { controller } of running) controller.abort(reason);
    await Promise.all(running.map(({ outcome }) => outcome));
    await this.#services.close();
  }

  async #run(id: string, request: JobRequest, signal: AbortSignal): Promise<JobOutcome> {
    // The caller gets its handle, and can subscribe, before the first event.
    await Promise.resolve();
    const emit: Emit = (event, payload) => {
      this.#publish(id, event, payload);
    };
    emit('job:started', started(request));
    const outcome = await this.#settle(id, request, { id, signal, emit, now: () => this.#services.now() });
    this.#running.delete(id);
    return outcome;
  }

  async #settle(id: string, request: JobRequest, context: JobContext): Promise<JobOutcome> {
    try {
      const result = await runJob(this.#services, request, context);
      return this.#publish(id, 'job:done', { result: { ...result } }) as JobOutcome;
    } catch (thrown) {
      const error = endReason(thrown, context.signal);
      const event = context.signal.aborted ? 'job:cancelled' : 'job:failed';
      return this.#publish(id, event, { error: error.report() }) as JobOutcome;
    }
  }

  #publish<Name extends keyof JobEventMap>(job: string, event: Name, payload: JobEventMap[Name]): JobEvent {
    const stamped = {
      event,
      job,
      time: this.#services.now().toISOString(),
      ...payload,
    } as unknown as JobEvent;
    for (const listener of this.#listeners) {
      try {
        listener(stamped);
      } catch {
        // A listener that breaks is its own trouble; the job goes on.
      }
    }
    return stamped;
  }
}

/** The first reason wins: what a cancelled job throws while it unwinds is not news. */
function endReason(thrown: unknown, signal: AbortSignal): BifractError {
  return asBifractError(signal.aborted ? signal.reason : thrown);
}

async function runJob(services: Services, request: JobRequest, context: JobContext) {
  // Verifying changes nothing: neither does it put right what others left.
  if (request.kind === 'verify') return runFileJob(services, request, context);
  if (services.installation.read_only)
    throw new BifractError('READ_ONLY', 'Nothing is changed with --read-only', {
      hint: 'Leave --read-only out.',
    });
  const version = services.installation.version;
  const key = await services.key();
  await recover(services, { signal: context.signal });
  const what = destroys(request);
  const run = (own: JobContext) => perform(services, request, { key, version }, own);
  return what ? audited(services.audit, { ...started(request), what }, context, run) : run(context);
}

async function perform(
  services: Services,
  request: Exclude<JobRequest, { kind: 'verify' }>,
  { key, version }: { key: Key; version: string },
  context: JobContext,
) {
  if (isStorageJob(request)) return runStorageJob(services, request, context);
  switch (request.kind) {
    case 'backup':
      return runBackup(services, context);
    case 'restore':
    case 'drill':
      return runRestoreJob(services, request, context);
    case 'restore-archive':
      return runArchiveRestore(services, request, context);
    case 'prune':
    case 'rotate-key':
      return runUpkeepJob(services, request, context);
    case 'archive':
      return archive(
        {
          catalog: await services.catalog(),
          logs: await services.logs(),
          storage: await services.archives(),
          state: services.state,
          key,
          version,
          max_memory: services.archive_max_memory,
        },
        { fractal_id: request.fractal_id, fields: request.fields ?? true },
        context,
      );
    default:
      return runFileJob(services, request, context);
  }
}

function started(request: JobRequest): JobEventMap['job:started'] {
  if (request.kind === 'backup') return { kind: 'backup', title: 'Backup of PostgreSQL' };
  if (request.kind === 'restore' || request.kind === 'drill') return restoreStarted(request);
  if (request.kind === 'prune' || request.kind === 'rotate-key') return upkeepStarted(request);
  if (request.kind === 'restore-archive') return archiveRestoreStarted(request);
  if (isStorageJob(request)) return storageJobStarted(request);
  if (request.kind !== 'archive') return fileJobStarted(request);
  const title = `Archive of ${request.fractal_name ?? request.fractal_id}`;
  return { kind: 'archive', title, target: { kind: 'fractal', id: request.fractal_id } };
}

function jobId(kind: JobKind, now: Date): string {
  return `${kind}-${stampOf(now)}-${randomBytes(3).toString('hex')}`;
}

function backupFile(storage: Storage, { name, size_bytes }: StoredObject): BackupFile | undefined {
  const created = backupTime(name);
  if (!created) return undefined;
  return {
    name,
    size_bytes,
    created_at: created.toISOString(),
    storage_type: storage.kind,
    path: `${storage.location}/${name}`,
  };
}
