import { BifractError } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import { forEachItem, type ItemOutcome } from '../../job/items.ts';
import type { Catalog } from '../../ports/catalog.ts';
import type { CallOptions } from '../../ports/types.ts';
import type { CleanRequest, CleanSummary, Orphan } from './contract.ts';
import { findOrphans, lookFor, type OrphanServices } from './find.ts';

const GONE = 'Already cleaned up.';
const LOST = 'The file of this archive is missing, and no job is writing it';

/**
 * Cleans up chosen orphans: marks records as failed, removes unfinished objects. Anything that is no longer
 * an orphan is skipped. Never deletes files; adopting them is a separate job.
 */
export async function clean(
  services: OrphanServices,
  { orphans: chosen }: CleanRequest,
  context: JobContext,
): Promise<CleanSummary> {
  const started = performance.now();
  const { signal, emit } = context;
  emit('job:phase', { phase: 'Checking orphans' });
  const now = await findOrphans(services, {
    signal,
    onIncomplete: ({ message }) => emit('job:warning', { message }),
  });
  const counts = { records_failed: 0, leftovers_removed: 0 };
  const work = async (orphan: Orphan): Promise<ItemOutcome> => {
    const current = now.find(({ kind, id }) => kind === orphan.kind && id === orphan.id);
    const message = await cleanOne(services, orphan, current, signal);
    counts[orphan.kind === 'record' ? 'records_failed' : 'leftovers_removed']++;
    return { message };
  };
  emit('job:phase', { phase: 'Cleaning up' });
  await forEachItem(chosen, { name: ({ path }) => path, failed: 'could not be cleaned up' }, work, context);
  return { ...counts, duration_ms: Math.round(performance.now() - started) };
}

/** The file may have been put back, and the record completed, since the orphans were checked. */
async function mustStillBeLost(
  services: OrphanServices,
  catalog: Catalog,
  id: string,
  options: CallOptions,
): Promise<void> {
  const [record] = await catalog.archives({ ids: [id] }, options);
  if (record?.status === 'in_progress') return;
  if (record && (await lookFor(services, record, options)) === 'missing') return;
  throw new BifractError('BUSY', 'Skipped: its file exists now, or its record has changed');
}

/** Acts only if the orphan still exists. */
async function cleanOne(
  services: OrphanServices,
  chosen: Orphan,
  current: Orphan | undefined,
  signal: AbortSignal,
): Promise<string> {
  // Recovery at the start of this job, or another console, may have cleaned up already.
  if (current === undefined) return GONE;
  if (current.actions.includes('fail_record')) {
    const catalog = await services.catalog();
    await mustStillBeLost(services, catalog, current.id, { signal });
    await catalog.failArchive(current.id, LOST, { signal });
    return 'Record marked as failed.';
  }
  if (!current.actions.includes('discard')) {
    if (chosen.kind !== 'file') throw new BifractError('BUSY', 'Skipped: it may still be in use');
    throw new BifractError('BUSY', 'Skipped: a clean-up deletes no complete files', {
      hint: chosen.place === 'archives' ? 'Use `bifract adopt` to add a record for the file.' : undefined,
    });
  }
  const storage = await services[current.place]();
  for await (const unfinished of storage.listUnfinished({ signal })) {
    if (unfinished.id !== current.id) continue;
    await storage.discardUnfinished(unfinished, { signal });
    return 'Removed.';
  }
  return GONE;
}
