import { posix } from 'node:path';
import { BifractError } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import { forEachItem, type ItemOutcome } from '../../job/items.ts';
import { throttle } from '../../job/throttle.ts';
import type { Catalog } from '../../ports/catalog.ts';
import type { Key } from '../../ports/key.ts';
import type { Services } from '../../ports/services.ts';
import type { Storage } from '../../ports/storage.ts';
import { plural } from '../../text/units.ts';
import { changed } from '../files/delete-file.ts';
import { namesOf } from '../files/target.ts';
import { readFully } from '../inspect/read-fully.ts';
import type { AdoptItem, AdoptRequest, AdoptSummary } from './contract.ts';

type Adopted = AdoptSummary['adopted'][number];

/**
 * Adds the planned records for archive files, after reading each file in full. A failure does not stop the
 * others; the combined error is thrown at the end.
 */
export async function adopt(
  services: Pick<Services, 'catalog' | 'archives' | 'keys' | 'state'>,
  { plan }: AdoptRequest,
  context: JobContext,
): Promise<AdoptSummary> {
  const started = performance.now();
  const [catalog, storage, keys] = await Promise.all([
    services.catalog(),
    services.archives(),
    services.keys(),
  ]);
  const chosen = plan.items.filter(({ action }) => action === 'adopt');
  const adopted: Adopted[] = [];
  const fractals_created: string[] = [];
  const { id, now } = context;
  const job = { id, kind: 'adopt', started_at: now().toISOString() };
  const work = async (item: AdoptItem): Promise<ItemOutcome> => {
    await services.state.save({ ...job, object: item.path });
    const record = await adoptOne({ catalog, storage, keys }, item, fractals_created, context);
    adopted.push(record);
    const message = `${plural(record.log_count, 'row')}, record ${record.archive_id}`;
    return { message, details: { ...record } };
  };
  await services.state.save(job);
  try {
    context.emit('job:phase', { phase: 'Reading files' });
    await forEachItem(chosen, { name: ({ path }) => path, failed: 'could not be adopted' }, work, context);
  } finally {
    await services.state.remove(id);
  }
  const skipped = plan.items.length - chosen.length;
  return { adopted, skipped, fractals_created, duration_ms: Math.round(performance.now() - started) };
}

interface Installation {
  catalog: Catalog;
  storage: Storage;
  keys: readonly Key[];
}

async function adoptOne(
  { catalog, storage, keys }: Installation,
  item: AdoptItem,
  created: string[],
  { signal, emit }: JobContext,
): Promise<Adopted> {
  const object = await storage.stat(item.path, { signal });
  if (!object) throw new BifractError('NOT_FOUND', 'The file no longer exists', { hint: 'Run it again.' });
  const onProgress = throttle((bytes_in: number, rows: number) =>
    emit('job:progress', { item: item.path, rows, bytes_in, total_bytes: item.size_bytes }),
  );
  const file = await readFully(storage, object, { keys, signal, onProgress });
  const { size_bytes, checksum } = file.summary;
  const { fractal } = item;
  const own = file.summary.head?.fractal?.id;
  if (fractal !== null && own !== undefined && own !== fractal.id) throw changed();
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
    await mustStillHaveFailed(catalog, item.archive_id, item.path, signal);
    await catalog.completeArchive(item.archive_id, result, { signal });
    return { path: item.path, archive_id: item.archive_id, log_count, size_bytes, checksum };
  }
  const { archive_id } = await catalog.adoptArchive(
    {
      ...result,
      fractal_id: fractal.id,
      fractal_name: fractal.name,
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

/** Another program may have completed, deleted or changed the record. */
async function mustStillHaveFailed(
  catalog: Catalog,
  archive_id: string,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const [record] = await catalog.archives({ ids: [archive_id] }, { signal });
  if (record?.status !== 'failed' || !namesOf(record).includes(path)) throw changed();
}
