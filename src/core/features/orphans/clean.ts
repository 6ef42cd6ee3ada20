import { asBifractError, BifractError } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import { combine, type Failure } from '../../job/failures.ts';
import type { CleanSummary, Orphan } from './contract.ts';
import { type OrphanDeps, orphans } from './find.ts';

const LOST = 'The file of this archive is missing, and no job is writing it';

/**
 * Cleans up chosen orphans: marks records as failed, removes unfinished objects. Anything that is no longer
 * an orphan is skipped. Never deletes files; adopting them is a separate job.
 */
export async function clean(
  deps: OrphanDeps,
  chosen: readonly Orphan[],
  context: JobContext,
): Promise<CleanSummary> {
  const started = performance.now();
  const { signal, emit } = context;
  emit('job:phase', { phase: 'Checking orphans' });
  const now = await orphans(deps, { signal });
  const counts = { records_failed: 0, leftovers_removed: 0 };
  const failures: Failure[] = [];
  emit('job:phase', { phase: 'Cleaning up' });
  for (const orphan of chosen) {
    try {
      const current = now.find(({ kind, id }) => kind === orphan.kind && id === orphan.id);
      const message = await cleanOne(deps, orphan, current, signal);
      if (orphan.kind === 'record') counts.records_failed++;
      else counts.leftovers_removed++;
      emit('job:item', { item: orphan.path, ok: true, message });
    } catch (thrown) {
      signal.throwIfAborted();
      const error = asBifractError(thrown).report();
      failures.push({ item: orphan.path, error });
      emit('job:item', { item: orphan.path, ok: false, message: error.message, error });
    }
  }
  const error = combine(failures, chosen.length, 'could not be cleaned up');
  if (error) throw error;
  return { ...counts, duration_ms: Math.round(performance.now() - started) };
}

/** Acts only if the orphan still exists. */
async function cleanOne(
  deps: OrphanDeps,
  chosen: Orphan,
  current: Orphan | undefined,
  signal: AbortSignal,
): Promise<string> {
  // Recovery at the start of this job, or another console, may have cleaned up already.
  if (current === undefined) return 'Already cleaned up.';
  if (current.actions.includes('fail_record')) {
    await deps.catalog.failArchive(current.id, LOST, { signal });
    return 'Record marked as failed.';
  }
  if (!current.actions.includes('discard')) {
    throw new BifractError('BUSY', 'It may still be in use, or it cannot be cleaned up here', {
      hint:
        chosen.kind === 'file' && chosen.place === 'archives'
          ? 'Use `bifract adopt` to add a record for the file.'
          : undefined,
    });
  }
  for await (const unfinished of deps[current.place].listUnfinished({ signal })) {
    if (unfinished.id === current.id) await deps[current.place].discardUnfinished(unfinished, { signal });
  }
  return 'Removed.';
}
