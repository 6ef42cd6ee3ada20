import { posix } from 'node:path';
import { asBifractError, BifractError } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import { combine, type Failure } from '../../job/failures.ts';
import type { Catalog } from '../../ports/catalog.ts';
import type { Key } from '../../ports/key.ts';
import type { Storage } from '../../ports/storage.ts';
import { readFully } from '../inspect/read-fully.ts';
import type { AdoptItem, AdoptPlan, AdoptSummary } from './contract.ts';

export interface AdoptDeps {
  catalog: Catalog;
  storage: Storage;
  keys: readonly Key[];
}

type Adopted = AdoptSummary['adopted'][number];

const INTERVAL_MS = 100;

/**
 * Adds the planned records for archive files, after reading each file in full. A failure does not stop the
 * others; the combined error is thrown at the end.
 */
export async function adopt(deps: AdoptDeps, plan: AdoptPlan, context: JobContext): Promise<AdoptSummary> {
  const started = performance.now();
  const chosen = plan.items.filter(({ action }) => action === 'adopt');
  const adopted: Adopted[] = [];
  const fractals_created: string[] = [];
  const failures: Failure[] = [];
  context.emit('job:phase', { phase: 'Reading files' });
  for (const item of chosen) {
    try {
      const record = await adoptOne(deps, item, fractals_created, context);
      adopted.push(record);
      const message = `${record.log_count} rows, record ${record.archive_id}`;
      context.emit('job:item', { item: item.path, ok: true, message, details: { ...record } });
    } catch (thrown) {
      context.signal.throwIfAborted();
      const error = asBifractError(thrown).report();
      failures.push({ item: item.path, error });
      context.emit('job:item', { item: item.path, ok: false, message: error.message, error });
    }
  }
  const error = combine(failures, chosen.length, 'could not be adopted');
  if (error) throw error;
  const skipped = plan.items.length - chosen.length;
  return { adopted, skipped, fractals_created, duration_ms: Math.round(performance.now() - started) };
}

async function adoptOne(
  { catalog, storage, keys }: AdoptDeps,
  item: AdoptItem,
  created: string[],
  context: JobContext,
): Promise<Adopted> {
  const { signal } = context;
  const object = await storage.stat(item.path, { signal });
  if (!object) throw new BifractError('NOT_FOUND', 'The file no longer exists', { hint: 'Run it again.' });
  const file = await readFully(storage, object, {
    keys,
    signal,
    onProgress: progressReporter(item, context),
  });
  const { size_bytes, checksum } = file.summary;
  const { fractal } = item;
  if (fractal === null || file.lines === null)
    throw new BifractError('NOT_BIFRACT', 'Not an archive', { hint: 'Only archive files can be adopted.' });
  const { rows: log_count, first, last } = file.lines;
  if (log_count === 0)
    throw new BifractError('NOT_BIFRACT', 'The file has no rows', {
      hint: 'There is nothing to restore from it.',
    });
  const result = { size_bytes, log_count, time_range_start: first, time_range_end: last, checksum };
  if (item.create_fractal && !created.includes(fractal.id) && fractal.name !== null) {
    await catalog.createFractal({ id: fractal.id, name: fractal.name }, { signal });
    created.push(fractal.id);
  }
  if (item.archive_id !== null) {
    await catalog.completeArchive(item.archive_id, result, { signal });
    return { path: item.path, archive_id: item.archive_id, log_count, size_bytes, checksum };
  }
  const { archive_id } = await catalog.adoptArchive(
    {
      ...result,
      fractal_id: fractal.id,
      filename: posix.basename(item.path),
      storage_type: storage.kind === 's3' ? 's3' : 'disk',
      storage_path: item.path,
      archive_type: 'adhoc',
      archive_end_ts: last,
      created_at: item.created_at,
      split: item.split,
      period_label: item.period,
    },
    { signal },
  );
  return { path: item.path, archive_id, log_count, size_bytes, checksum };
}

function progressReporter({ path, size_bytes }: AdoptItem, { emit }: JobContext) {
  let last = Number.NEGATIVE_INFINITY;
  return (stored: number, rows: number) => {
    if (performance.now() - last < INTERVAL_MS) return;
    last = performance.now();
    emit('job:progress', { item: path, rows, bytes_in: stored, total_bytes: size_bytes });
  };
}
