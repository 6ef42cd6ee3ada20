import type { BifractError } from '../contract/errors.ts';
import type { InstallationInfo } from '../ports/services.ts';
import type { Engine, JobHandle, JobOutcome } from './contract.ts';
import { jobId } from './job-id.ts';

/** Stands in for the engine of a directory without a readable installation: every query and job fails with `error`. */
export function createUnavailableEngine(installation: InstallationInfo, error: BifractError): Engine {
  const fail = async (): Promise<never> => {
    throw error;
  };
  // biome-ignore lint/correctness/useYield: it fails before the first element
  async function* failing(): AsyncGenerator<never> {
    throw error;
  }
  return {
    installation,
    health: fail,
    fractals: fail,
    groups: fail,
    archives: fail,
    setSchedule: fail,
    backups: fail,
    checks: async () => [],
    show: fail,
    extract: failing,
    search: failing,
    browse: fail,
    orphans: fail,
    coverage: fail,
    planRestore: fail,
    planPrune: fail,
    planArchiveRestore: fail,
    planAdopt: fail,
    planDelete: fail,
    planCopy: fail,
    planRotate: fail,
    planDue: fail,
    knownJobs: async () => [],
    findJob: fail,
    follow: failing,
    requestCancel: fail,
    resumable: async () => [],
    resumeRequest: fail,
    queuedJobs: async () => [],
    enqueue: fail,
    queueStarted: async () => {},
    removeQueued: fail,
    moveQueued: fail,
    runQueue: fail,
    start(request) {
      const [now, kind] = [new Date(), request.kind];
      const id = jobId(kind, now);
      const failed = { event: 'job:failed', job: id, time: now.toISOString(), error: error.report() };
      return { id, kind, title: kind, outcome: Promise.resolve(failed as JobOutcome) } as JobHandle;
    },
    detach: fail,
    cancel: () => {},
    outlives: () => true,
    subscribe: () => () => {},
    recover: async () => ({ done: [], leftovers: [] }),
    close: async () => {},
  };
}
