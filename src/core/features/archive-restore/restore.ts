import { BifractError } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import type { Ingest } from '../../ports/ingest.ts';
import type { ArchiveRestorePlan, ArchiveRestoreSummary } from './contract.ts';
import { type DirectDeps, restoreDirect } from './direct.ts';
import { restoreByIngest } from './ingest.ts';

export interface RestoreArchiveDeps extends DirectDeps {
  /** Called only if the restore uses ingest. */
  ingest(): Promise<Ingest>;
}

/** Restores archived rows as planned. Throws the first obstacle of the plan. */
export async function restoreArchive(
  deps: RestoreArchiveDeps,
  plan: ArchiveRestorePlan,
  context: JobContext,
): Promise<ArchiveRestoreSummary> {
  const [obstacle] = plan.obstacles;
  if (obstacle) throw new BifractError(obstacle.code, obstacle.message, { hint: obstacle.hint });
  if (plan.via === 'ingest') return restoreByIngest({ ...deps, ingest: await deps.ingest() }, plan, context);
  return restoreDirect(deps, plan, context);
}
