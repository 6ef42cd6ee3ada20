import { recoverArchiveRestores, serveArchiveRestorePlan } from './archive-restore-jobs.ts';
import { serveCoverage } from './coverage-queries.ts';
import type { BackupFile, Engine, ExtractPart, JobRequest } from './engine.ts';
import { type BifractError, cancelled } from './errors.ts';
import type { JobEvent } from './events.ts';
import { ServedFiles } from './file-queries.ts';
import type { FileQueries } from './files.ts';
import { checkHealth } from './health.ts';
import { ServedJobs } from './job-queries.ts';
import { JobRunner, jobId } from './job-runner.ts';
import { extract } from './jobs/extract.ts';
import { recover } from './jobs/recover.ts';
import { pathOf } from './jobs/target.ts';
import { locate } from './locate.ts';
import { backupTime } from './policy/names.ts';
import type { Storage, StoredObject } from './ports/storage.ts';
import type { CallOptions } from './ports/types.ts';
import { servePlan } from './restore-jobs.ts';
import type { DueQuery } from './schedule.ts';
import { servePlanDue } from './schedule-jobs.ts';
import type { Services } from './services.ts';
import { serveCopyPlan, serveDeletePlan } from './storage-jobs.ts';
import { servePrunePlan, serveRotatePlan } from './upkeep-jobs.ts';

/** The engine on the given services. Jobs run in this process. */
export function createEngine(services: Services): Engine {
  return new RunningEngine(services);
}

class RunningEngine implements Engine {
  readonly installation;
  readonly #services: Services;
  readonly #files: FileQueries;
  readonly #jobs: ServedJobs;
  readonly #runner: JobRunner;

  constructor(services: Services) {
    this.#services = services;
    this.#files = new ServedFiles(services);
    this.#jobs = new ServedJobs(services);
    this.#runner = new JobRunner(services);
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
    const done = await recover(this.#services, options);
    return [...done, ...(await recoverArchiveRestores(this.#services, undefined, options))];
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
    return this.#jobs.knownJobs(options);
  }

  findJob(id: string) {
    return this.#jobs.findJob(id);
  }

  follow(...query: Parameters<Engine['follow']>) {
    return this.#jobs.follow(...query);
  }

  askToEnd(...query: Parameters<Engine['askToEnd']>) {
    return this.#jobs.askToEnd(...query);
  }

  start(...query: Parameters<Engine['start']>) {
    return this.#runner.start(...query);
  }

  async detach(request: JobRequest) {
    const { starter, owner, now } = this.#services;
    const id = jobId(request.kind, now());
    await starter.start(id, { request, by: owner() });
    return id;
  }

  outlives() {
    return false;
  }

  cancel(job: string, reason?: BifractError) {
    this.#runner.cancel(job, reason);
  }

  subscribe(listener: (event: JobEvent) => void) {
    return this.#runner.subscribe(listener);
  }

  async close(reason = cancelled()) {
    await this.#runner.end(reason);
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
