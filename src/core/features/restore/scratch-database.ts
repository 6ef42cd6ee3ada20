import { asBifractError } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import { Retrier } from '../../job/retry.ts';
import type { DatabaseServer } from '../../ports/database-server.ts';

/** How long to wait for a server that restarts. */
const RESTART_LIMIT_MS = 30_000;
const FIRST_WAIT_MS = 200;

/** Name of a database that a job creates for itself. */
export function scratchName(purpose: 'restore' | 'drill' | 'replaced', job: string): string {
  return `bifract_${purpose}_${job.replace(/^[a-z]+-/, '').replaceAll('-', '_')}`;
}

/** Whether a job created the database for itself: no other is ever dropped. */
export function isScratchName(name: string): boolean {
  return /^bifract_(restore|drill|replaced)_[0-9a-z_]+$/.test(name);
}

/**
 * Drops the databases of a job, also of a cancelled one. Never throws. Returns false after a warning if that
 * fails: the job record must then be kept so that the next start drops them.
 */
export async function dropScratch(
  server: DatabaseServer,
  names: string[],
  { emit }: Pick<JobContext, 'emit'>,
): Promise<boolean> {
  const drop = async () => {
    for (const name of names) await server.drop(name);
    return true;
  };
  return whenReachable(drop, { emit }).catch((error: unknown) => {
    const { message } = asBifractError(error);
    emit('job:warning', {
      message: `Could not drop ${names.join(', ')}: ${message}. It is tried again at the next start of bifract.`,
    });
    return false;
  });
}

/**
 * Asks the server again while it is unreachable, for half a minute: it may be restarting. Cannot be
 * cancelled.
 */
export async function whenReachable<T>(
  ask: () => Promise<T>,
  { emit }: Pick<JobContext, 'emit'>,
): Promise<T> {
  const retrier = new Retrier({ max_ms: RESTART_LIMIT_MS, first_ms: FIRST_WAIT_MS }, { emit });
  // It was reachable before, so a wrong address is not the reason.
  retrier.progressed();
  return retrier.through(ask, new AbortController().signal);
}
