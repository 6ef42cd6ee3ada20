import { type BifractError, cancelled, readOnly } from '../contract/errors.ts';
import { planArchiveRestore } from '../features/archive-restore/plan.ts';
import type { BackupCache } from '../features/backup/known-backups.ts';
import { planPrune } from '../features/backup/plan-prune.ts';
import { planCopy } from '../features/copy/plan.ts';
import { coverage } from '../features/coverage/coverage.ts';
import { planDelete } from '../features/delete/plan.ts';
import { extract } from '../features/inspect/extract.ts';
import { show } from '../features/inspect/show.ts';
import { planRotate } from '../features/keys/plan.ts';
import { findOrphans } from '../features/orphans/find.ts';
import { planAdopt } from '../features/orphans/plan-adopt.ts';
import { planRestore } from '../features/restore/plan.ts';
import { planDue } from '../features/schedule/plan.ts';
import { browse } from '../features/search/browse.ts';
import { search } from '../features/search/search.ts';
import { backupFiles } from './backup-files.ts';
import type { Engine, EngineServices } from './contract.ts';
import { checkHealth } from './health.ts';
import { JobFeed } from './job-feed.ts';
import { jobId } from './job-id.ts';
import { JobQueryService } from './job-queries.ts';
import { leftovers } from './leftovers.ts';
import { QueueService } from './queue.ts';
import { QueueRunner } from './queue-runner.ts';
import { recover } from './recovery.ts';
import { resumableIds } from './resumable.ts';
import { JobRunner } from './runner.ts';
import { type JobControl, JobSupervisor } from './supervisor.ts';

/** An engine that runs jobs in this process; `onFault` receives errors of jobs that ended as `INTERNAL`. */
export function createEngine(services: EngineServices, onFault?: (error: unknown) => void): Engine {
  const feed = new JobFeed(services, { shared: false });
  const queue = new QueueService(services);
  return engineOf(services, { feed, queue, jobs: new JobRunner(services, { feed, queue, onFault }) });
}

/** An engine for consoles: runs jobs in their own processes and follows those of all other processes. */
export function createSharingEngine(services: EngineServices): Engine {
  const feed = new JobFeed(services, { shared: true });
  const queue = new QueueService(services);
  const local = new JobRunner(services, { feed, queue });
  return engineOf(services, { feed, queue, jobs: new JobSupervisor(services, feed, local) });
}

function engineOf(
  services: EngineServices,
  { feed, queue, jobs }: { feed: JobFeed; queue: QueueService; jobs: JobControl },
): Engine {
  const known = new JobQueryService(services);
  const backupCache: BackupCache = new Map();
  return {
    installation: services.installation,
    health: (options) => checkHealth(services, options),
    fractals: async (options) => (await services.catalog()).fractals(options),
    groups: async (filter, options) => (await services.catalog()).groups(filter, options),
    archives: async (filter, options) => (await services.catalog()).archives(filter, options),
    setSchedule: async (...change) => {
      if (services.installation.read_only) throw readOnly();
      const catalog = await services.catalog();
      await catalog.setSchedule(...change);
      // The next run of scheduled archives tries again, and warns.
      await catalog.copyRecords().catch(() => undefined);
    },
    checks: () => services.state.checks(),
    backups: (options) => backupFiles(services, backupCache, options),

    show: (...query) => show(services, ...query),
    extract: (...query) => extract(services, ...query),
    search: (...query) => search(services, ...query),
    browse: (...query) => browse(services, ...query),
    orphans: (options) => findOrphans(services, options),
    coverage: (...query) => coverage(services, ...query),

    planRestore: (...query) => planRestore(services, ...query),
    planPrune: (...query) => planPrune(services, ...query),
    planArchiveRestore: (query) => planArchiveRestore(services, query),
    planAdopt: (...query) => planAdopt(services, ...query),
    planDelete: (...query) => planDelete(services, ...query),
    planCopy: (...query) => planCopy(services, ...query),
    planRotate: (options) => planRotate(services, options),
    planDue: (query) => planDue(services, query),

    knownJobs: (options) => known.knownJobs(options),
    findJob: (id) => known.findJob(id),
    follow: (...query) => known.follow(...query),
    requestCancel: (...query) => known.requestCancel(...query),
    resumable: (options) => resumableIds(services, options),
    resumeRequest: (...query) => known.resumeRequest(...query),

    queuedJobs: () => queue.queuedJobs(),
    enqueue: (request) => queue.enqueue(request),
    queueStarted: () => queue.queueStarted(),
    removeQueued: (id) => queue.removeQueued(id),
    moveQueued: (...move) => queue.moveQueued(...move),
    runQueue: (options) => new QueueRunner(services, options).run(),

    start: (...query) => jobs.start(...query),
    cancel: (...query) => jobs.cancel(...query),
    outlives: (job) => jobs.outlives(job),
    subscribe: (listener) => feed.subscribe(listener),
    detach: async (request) => {
      if (services.installation.read_only) throw readOnly();
      const id = jobId(request.kind, services.now());
      await services.launcher.start(id, { request, by: services.owner() });
      return id;
    },
    recover: async (options) => {
      await services.jobBus.sweep();
      const done = await recover(services, options);
      queue.wake();
      return { done, leftovers: await leftovers(services) };
    },
    close: async (reason: BifractError = cancelled()) => {
      await jobs.shutdown(reason);
      feed.close(reason);
      await queue.queueStarted();
      await services.close();
    },
  };
}
