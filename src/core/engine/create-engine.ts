import { type BifractError, cancelled, readOnly } from '../contract/errors.ts';
import type { JobEvent } from '../contract/events.ts';
import type { FileQueries } from '../contract/files.ts';
import { pathOf } from '../features/files/target.ts';
import { extract } from '../features/inspect/extract.ts';
import type { DueQuery } from '../features/schedule/contract.ts';
import { backupTime } from '../policy/names.ts';
import type { Storage, StoredObject } from '../ports/storage.ts';
import type { CallOptions } from '../ports/types.ts';
import type { BackupFile, Engine, ExtractPart, JobRequest } from './contract.ts';
import { checkHealth } from './health.ts';
import { JobQueryService } from './job-queries.ts';
import { locate } from './locate.ts';
import { recoverAll } from './recover-all.ts';
import { JobRunner, jobId } from './runner.ts';
import type { Services } from './services.ts';
import { type JobControl, JobSupervisor } from './supervisor.ts';
import { planArchiveRestore } from './wire-archive-restore.ts';
import { queryCoverage } from './wire-coverage-queries.ts';
import { FileQueryService } from './wire-file-queries.ts';
import { planRestore } from './wire-restore.ts';
import { planDue } from './wire-schedule.ts';
import { planCopy, planDelete } from './wire-storage.ts';
import { planPrune, planRotate } from './wire-upkeep.ts';

/** An engine that runs jobs in this process; `onFault` receives errors of jobs that ended as `INTERNAL`. */
export function createEngine(services: Services, onFault?: (error: unknown) => void): Engine {
  return new RunningEngine(services, new JobRunner(services, onFault));
}

/** An engine for consoles: runs jobs in their own processes and follows those of all other processes. */
export function createSharingEngine(services: Services): Engine {
  return new RunningEngine(services, new JobSupervisor(services, new JobRunner(services)));
}

class RunningEngine implements Engine {
  readonly installation;
  readonly #services: Services;
  readonly #file_queries: FileQueries;
  readonly #job_queries: JobQueryService;
  readonly #jobs: JobControl;

  constructor(services: Services, jobs: JobControl) {
    this.#services = services;
    this.#file_queries = new FileQueryService(services);
    this.#job_queries = new JobQueryService(services);
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
    await this.#services.jobBus.sweep();
    return recoverAll(this.#services, undefined, options);
  }

  async *extract(file: string, part: ExtractPart, options?: CallOptions) {
    const keys = await this.#services.keys();
    yield* extract({ ...(await locate(this.#services, file, options)), keys }, part, options);
  }

  show(...query: Parameters<FileQueries['show']>) {
    return this.#file_queries.show(...query);
  }

  search(...query: Parameters<FileQueries['search']>) {
    return this.#file_queries.search(...query);
  }

  browse(...query: Parameters<FileQueries['browse']>) {
    return this.#file_queries.browse(...query);
  }

  planAdopt(...query: Parameters<FileQueries['planAdopt']>) {
    return this.#file_queries.planAdopt(...query);
  }

  orphans(...query: Parameters<FileQueries['orphans']>) {
    return this.#file_queries.orphans(...query);
  }

  planRestore(...query: Parameters<Engine['planRestore']>) {
    return planRestore(this.#services, ...query);
  }

  planPrune(...query: Parameters<Engine['planPrune']>) {
    return planPrune(this.#services, ...query);
  }

  planRotate(options?: CallOptions) {
    return planRotate(this.#services, options);
  }

  planDelete(...query: Parameters<Engine['planDelete']>) {
    return planDelete(this.#services, ...query);
  }

  planCopy(...query: Parameters<Engine['planCopy']>) {
    return planCopy(this.#services, ...query);
  }

  planArchiveRestore(...query: Parameters<Engine['planArchiveRestore']>) {
    return planArchiveRestore(this.#services, ...query);
  }

  planDue(query?: DueQuery) {
    return planDue(this.#services, query);
  }

  coverage(...query: Parameters<Engine['coverage']>) {
    return queryCoverage(this.#services, ...query);
  }

  knownJobs(options?: CallOptions) {
    return this.#job_queries.knownJobs(options);
  }

  findJob(id: string) {
    return this.#job_queries.findJob(id);
  }

  follow(...query: Parameters<Engine['follow']>) {
    return this.#job_queries.follow(...query);
  }

  requestCancel(...query: Parameters<Engine['requestCancel']>) {
    return this.#job_queries.requestCancel(...query);
  }

  resumeRequest(...query: Parameters<Engine['resumeRequest']>) {
    return this.#job_queries.resumeRequest(...query);
  }

  start(...query: Parameters<Engine['start']>) {
    return this.#jobs.start(...query);
  }

  async detach(request: JobRequest) {
    const { launcher: starter, owner, now, installation } = this.#services;
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
    await this.#jobs.shutdown(reason);
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
