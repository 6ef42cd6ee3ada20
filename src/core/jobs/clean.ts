import { asBifractError, BifractError } from '../errors.ts';
import type { Orphan } from '../files.ts';
import type { JobContext } from './context.ts';
import { combine, type Failure } from './failures.ts';
import { type OrphanDeps, orphans } from './orphans.ts';

export interface CleanSummary {
  records_failed: number;
  leftovers_removed: number;
  duration_ms: number;
}

const LOST = 'The file of this archive is missing, and no job works on it';

/**
 * Does what can be done of chosen orphans: marks records as failed, removes what dead runs left. What is no
 * orphan any more is left alone. Files are never deleted; adopting them is a job of its own.
 */
export async function clean(
  deps: OrphanDeps,
  chosen: readonly Orphan[],
  context: JobContext,
): Promise<CleanSummary> {
  const started = performance.now();
  const { signal, emit } = context;
  emit('job:phase', { phase: 'Looking again' });
  const now = await orphans(deps, { signal });
  const counts = { records_failed: 0, leftovers_removed: 0 };
  const failures: Failure[] = [];
  emit('job:phase', { phase: 'Cleaning up' });
  for (const orphan of chosen) {
    try {
      const still = now.find(({ kind, id }) => kind === orphan.kind && id === orphan.id);
      const message = await settle(deps, orphan, still, signal);
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

/** What was seen when the choice was made holds only if it is seen again. */
async function settle(
  deps: OrphanDeps,
  chosen: Orphan,
  still: Orphan | undefined,
  signal: AbortSignal,
): Promise<string> {
  // The start of this very job puts right what dead runs left; another console may have been quicker.
  if (still === undefined) return 'It was put right already.';
  if (still.actions.includes('fail_record')) {
    await deps.catalog.failArchive(still.id, LOST, { signal });
    return 'Its record is marked as failed.';
  }
  if (!still.actions.includes('discard')) {
    throw new BifractError('BUSY', 'It may still be in use, or nothing can be done about it here', {
      hint:
        chosen.kind === 'file' && chosen.place === 'archives'
          ? '`bifract adopt` gives a file its record back.'
          : undefined,
    });
  }
  for await (const leftover of deps[still.place].leftovers({ signal })) {
    if (leftover.id === still.id) await deps[still.place].discard(leftover, { signal });
  }
  return 'Removed.';
}
