import type { ArchiveRestorePlan, ArchiveRestoreSummary } from '../archive-restore.ts';
import { BifractError } from '../errors.ts';
import type { JobContext } from './context.ts';
import { type DirectDeps, restoreDirect } from './restore-direct.ts';

export type RestoreArchiveDeps = DirectDeps;

/** Brings archived rows back as planned. What stood in the way then is thrown. */
export async function restoreArchive(
  deps: RestoreArchiveDeps,
  plan: ArchiveRestorePlan,
  context: JobContext,
): Promise<ArchiveRestoreSummary> {
  const [obstacle] = plan.obstacles;
  if (obstacle) throw new BifractError(obstacle.code, obstacle.message, { hint: obstacle.hint });
  if (plan.via === 'ingest') throw new BifractError('UNSUPPORTED', 'Ingest is not a way yet');
  return restoreDirect(deps, plan, context);
}
