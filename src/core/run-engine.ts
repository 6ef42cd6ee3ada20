import { serveArchiveRestorePlan } from './archive-restore-jobs.ts';
import { serveCoverage } from './coverage-queries.ts';
import type { BackupFile, Engine, ExtractPart, JobRequest } from './engine.ts';
import { type BifractError, cancelled, readOnly } from './errors.ts';
import type { JobEvent } from './events.ts';
import { ServedFiles } from './file-queries.ts';
import type { FileQueries } from './files.ts';
import { checkHealth } from './health.ts';
import { ServedJobs } from './job-queries.ts';
import { JobRunner, jobId } from './job-runner.ts';
import { extract } from './jobs/extract.ts';
import { pathOf } from './jobs/target.ts';
import { locate } from './locate.ts';
import { backupTime } from './policy/names.ts';
import type { Storage, StoredObject } from './ports/storage.ts';
import type { CallOptions } from './ports/types.ts';
import { putRight } from './put-right.ts';
import { servePlan } from './restore-jobs.ts';
import type { DueQuery } from './schedule.ts';
import { servePlanDue } from './schedule-jobs.ts';
import type { Services } from './services.ts';
import { type Jobs, SharedJobs } from './shared-jobs.ts';
import { serveCopyPlan, serveDeletePlan } from './storage-jobs.ts';
import { servePrunePlan, serveRotatePlan } from './upkeep-jobs.ts';

/** The engine on the given services. Jobs run in this process; `onFault` gets what those threw that end as `INTERNAL`. */
export function createEngine(services: Services, onFault?: (error: unknown) => void): Engine {
  return new RunningEngine(services, new JobRunner(services, onFault));
}

/** The same for a console: jobs run in processes of their own, and those of all other processes are heard of. */
export function createSharingEngine(services: Services): Engine {
  return new RunningEngine(services, new SharedJobs(services, new JobRunner(services)));
}

class RunningEngine implements Engine {
  readonly installation;
  readonly #services: Services;
  readonly #files: FileQueries;
  readonly #known: ServedJobs;
  readonly #jobs: Jobs;

  constructor(services: Services, jobs: Jobs) {
    this.#services = services;
    this.#files = new ServedFiles(services);
    this.#known = new ServedJobs(services);
    this.#jobs = jobs;
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
    await this.#services.board.sweep();
    return putRight(this.#services, undefined, options);
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

  planDue(query?: DueQuery) {
    return servePlanDue(this.#services, query);
  }

  coverage(...query: Parameters<Engine['coverage']>) {
    return serveCoverage(this.#services, ...query);
  }

  knownJobs(options?: CallOptions) {
    return this.#known.knownJobs(options);
  }

  findJob(id: string) {
    return this.#known.findJob(id);
  }

  follow(...query: Parameters<Engine['follow']>) {
    return this.#known.follow(...query);
  }

  askToEnd(...query: Parameters<Engine['askToEnd']>) {
    return this.#known.askToEnd(...query);
  }

  goOn(...query: Parameters<Engine['goOn']>) {
    return this.#known.goOn(...query);
  }

  start(...query: Parameters<Engine['start']>) {
    return this.#jobs.start(...query);
  }

  async detach(request: JobRequest) {
    const { starter, owner, now, installation } = this.#services;
    if (installation.read_only) throw readOnly();
    const id = jobId(request.kind, now());
    await starter.start(id, { request, by: owner() });
    return id;
  }

  outlives(job: string) {
    return this.#jobs.outlives(job);
  }

  cancel(job: string, reason?: BifractError) {
    this.#jobs.cancel(job, reason);
  }

  subscribe(listener: (event: JobEvent) => void) {
    return this.#jobs.subscribe(listener);
  }

  async close(reason = cancelled()) {
    await this.#jobs.end(reason);
    await this.#services.close();
  }
}

function backupFile(storage: Storage, { name, size_bytes }: StoredObject): BackupFile | undefined {
  const created = backupTime(name);
  if (!created) return undefined;
  return {
    name,
    size_bytes,
    created_at: created.toISOString(),
    storage_type: storage.kind,
    path: pathOf(storage, name),
  };
}
