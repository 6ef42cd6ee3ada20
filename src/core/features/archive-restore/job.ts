import { randomUUID } from 'node:crypto';
import { BifractError } from '../../contract/errors.ts';
import type { JobType } from '../../job/job-type.ts';
import type { Services } from '../../ports/services.ts';
import type { CallOptions } from '../../ports/types.ts';
import { countOf, type Row } from '../../text/rows.ts';
import { sanitize } from '../../text/sanitize.ts';
import { formatDuration } from '../../text/time.ts';
import { formatExact, plural } from '../../text/units.ts';
import { findTarget } from '../files/find-target.ts';
import { pathOf, type Target } from '../files/target.ts';
import { staleLocks } from './checkpoint.ts';
import type {
  ArchiveRestoreFile,
  ArchiveRestoreJobRequest,
  ArchiveRestorePlan,
  ArchiveRestoreQuery,
  ArchiveRestoreSummary,
} from './contract.ts';
import { buildArchiveRestorePlan } from './plan.ts';
import { restoreArchive } from './restore.ts';

/** The variable that limits the time spent waiting for what fails, named when it was too short. */
const MAX_ERROR_TIME = 'BIFRACT_ARCHIVE_MAX_ERROR_TIME';

export const archiveRestoreJob: JobType<ArchiveRestoreJobRequest, ArchiveRestoreSummary> = {
  title: ({ plan }) =>
    `Restore of ${countOf(
      plan.files.map(({ name }) => name),
      'archive',
    )} into ${plan.into.name}`,
  target: ({ plan }) => ({ kind: 'fractal', id: plan.into.id }),
  destroys: ({ plan }) => removedRows(plan),
  run: async (services, { plan }, context) => {
    const deps = {
      ...(await restoreDeps(services)),
      state: services.state,
      ingest: () => services.ingest(),
      find: (file: ArchiveRestoreFile) => findAgain(services, file, context),
      max_memory: services.archive_limits.max_memory,
      retry: { max_ms: services.archive_limits.max_error_time_ms, variable: MAX_ERROR_TIME },
    };
    return restoreArchive(deps, plan, context);
  },
  summary: archiveRestoreRows,
  cancelEffect:
    'Staged rows are dropped. If it is already deleting rows or moving them in, it finishes that first. Lines sent to ingest are kept.',
  keepsPartialWork: true,
};

/** See `ArchiveRestoreQueries`. */
export async function planArchiveRestore(
  services: Services,
  query: ArchiveRestoreQuery,
): Promise<ArchiveRestorePlan> {
  const deps = await restoreDeps(services);
  const find = (label: string) => findTarget(services, label, query);
  const hasToken = async (fractal_id: string) => (await deps.catalog.ingestToken(fractal_id, query)) !== null;
  const stale_locks = await staleLocks(services.state);
  const [now, id] = [services.now(), randomUUID()];
  return buildArchiveRestorePlan(
    { ...deps, storages: services, find, hasToken, stale_locks, now, id },
    query,
  );
}

async function restoreDeps(services: Services) {
  const [catalog, logs, rows, keys] = await Promise.all([
    services.catalog(),
    services.logs(),
    services.logRestore(),
    services.keys(),
  ]);
  return { catalog, logs, rows, keys };
}

/** The very file of a plan: by its record, in the storage of archives, else where its path says. */
async function findAgain(
  services: Services,
  { archive_id, path, name }: ArchiveRestoreFile,
  { signal }: CallOptions,
): Promise<Target> {
  if (archive_id !== null) {
    const target = await findTarget(services, archive_id, { signal });
    if (target.record) return target;
    throw new BifractError('NOT_FOUND', `The record of archive ${archive_id} is gone`);
  }
  const storage = await services.archives();
  const own = path.startsWith(pathOf(storage, '')) ? path.slice(pathOf(storage, '').length) : undefined;
  const found = await findTarget(services, own ?? path, { signal });
  if (found.path === path) return found;
  throw new BifractError('NOT_FOUND', `${name} is no longer at ${path}`);
}

function removedRows({ into, removes, rows_there }: ArchiveRestorePlan): string[] | undefined {
  if (!removes) return undefined;
  const { from, to } = removes;
  return [
    `${rows_there} rows of fractal ${into.name} (${into.id}), from ${from ?? 'the first'} to before ${to ?? 'the last'}`,
  ];
}

function archiveRestoreRows(summary: ArchiveRestoreSummary): Row[] {
  const { into, via, files, rows_read, rows_added, rows_there, rows_removed, rows_left_out = 0 } = summary;
  const verb = via === 'direct' ? 'added to' : 'accepted by the server for';
  const count = (label: string, value: number, noun: string): Row[] =>
    value === 0 ? [] : [{ label, value: plural(value, noun) }];
  return [
    { label: 'Restored', value: `${plural(rows_added, 'row')} ${verb} ${sanitize(into.name)}`, tone: 'good' },
    { label: 'Read', value: `${formatExact(rows_read)} rows from ${plural(files, 'file')}` },
    ...count('Already there', rows_there, 'row'),
    ...count('Removed before', rows_removed, 'row'),
    ...count('Left out', rows_left_out, 'invalid line'),
    { label: 'Duration', value: formatDuration(summary.duration_ms) },
  ];
}
