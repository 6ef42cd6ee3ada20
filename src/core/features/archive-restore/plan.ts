import { BifractError } from '../../contract/errors.ts';
import type { ArchiveRecord, Fractal } from '../../ports/catalog.ts';
import type { Key } from '../../ports/key.ts';
import type { LogDatabase } from '../../ports/log-database.ts';
import type { Storages } from '../../ports/storage.ts';
import type { CallOptions, Timestamp } from '../../ports/types.ts';
import { storagesOf } from '../files/record-file.ts';
import { RECORD_ID, type Target, targetOfRecord } from '../files/target.ts';
import type { ArchiveRestorePlan, ArchiveRestoreQuery } from './contract.ts';
import { type InspectedFile, inspectSource } from './inspect-source.ts';
import { restoreNotes } from './notes.ts';
import { type RestoreObstacleDeps, restoreObstacles } from './obstacles.ts';

export interface PlanArchiveRestoreDeps extends RestoreObstacleDeps {
  logs: LogDatabase;
  storages: Storages;
  keys: readonly Key[];
  /** Finds a file by name, path or record id. */
  find(label: string): Promise<Target>;
  now: Date;
  id: string;
}

/** Rates measured on small machines. */
const ROWS_A_SECOND = { direct: 60_000, ingest: 15_000 };
const BYTES_A_SECOND = 30_000_000;

/** The records that the source names; null if it is a file. */
interface NamedRecords {
  records: ArchiveRecord[] | null;
  /** Archives of the group that cannot be restored. */
  incomplete: number;
}

/**
 * Plans a restore; see `ArchiveRestoreQueries`. Reads header and trailer; only a file with neither trailer nor record
 * is read completely.
 */
export async function buildArchiveRestorePlan(
  deps: PlanArchiveRestoreDeps,
  query: ArchiveRestoreQuery,
): Promise<ArchiveRestorePlan> {
  const { signal, from = null, to = null, via = 'direct', replace = false } = query;
  assertValidWindow(from, to);
  const { records, incomplete } = await recordsOf(deps, query.source, { signal });
  const targets = records
    ? await Promise.all(records.map((record) => targetOf(deps, record, { signal })))
    : [await deps.find(query.source)];
  const files: InspectedFile[] = [];
  for (const target of targets) files.push(await inspectSource(target, deps.keys, { from, to }, { signal }));
  files.sort((a, b) => ((a.file.first ?? '') < (b.file.first ?? '') ? -1 : 1));
  const fractals = await deps.catalog.fractals({ signal });
  const into = intoOf(files, query.into, fractals);
  const fractal = fractals.find(({ id }) => id === into.id);
  const removes = replace ? windowToReplace(files, { from, to }) : null;
  const window = removes ?? { from, to };
  const present = await deps.logs.stats(
    { fractal_id: into.id, from: window.from ?? undefined, to: window.to ?? undefined },
    { signal },
  );
  const rows = files.reduce((sum, { rows_within }) => sum + rows_within, 0);
  const content_bytes = files.reduce((sum, file) => sum + file.content_bytes, 0);
  const plan: ArchiveRestorePlan = {
    id: deps.id,
    planned_at: deps.now.toISOString(),
    files: files.map(({ file }) => file),
    into,
    from,
    to,
    via,
    replace,
    removes,
    rows,
    content_bytes,
    rows_there: present.rows,
    estimate_ms: estimate(rows, content_bytes, via),
    notes: restoreNotes({ files, incomplete, fractal, removes, query, now: deps.now }),
    obstacles: await restoreObstacles(
      deps,
      {
        files,
        incomplete,
        into,
        fractal,
        window: { from, to },
        via,
        removes,
        content_bytes,
        rows,
        rows_there: present.rows,
      },
      { signal },
    ),
  };
  return freeze(plan);
}

function assertValidWindow(from: Timestamp | null, to: Timestamp | null): void {
  if (from === null || to === null || Date.parse(from) < Date.parse(to)) return;
  throw new BifractError('USAGE', `--from (${from}) must be earlier than --to (${to})`, {
    hint: 'The range includes --from and excludes --to.',
  });
}

/** Limited to the time range of the archive: it cannot bring back other rows. */
function windowToReplace(
  files: readonly InspectedFile[],
  { from, to }: { from: Timestamp | null; to: Timestamp | null },
): NonNullable<ArchiveRestorePlan['removes']> {
  const times = files.flatMap(({ file: { first, last } }) => (first && last ? [first, last] : []));
  const known =
    times.length > 0 && files.every(({ file: { rows, first, last } }) => rows === 0 || (first && last));
  const ms = times.map((time) => Date.parse(time));
  return {
    from: from ?? (known ? new Date(Math.min(...ms)).toISOString() : null),
    to: to ?? (known ? new Date(Math.max(...ms) + 1).toISOString() : null),
  };
}

/** The archive with that id, or the archives of that group; null if neither exists. */
async function recordsOf(
  { catalog }: PlanArchiveRestoreDeps,
  source: string,
  options: CallOptions,
): Promise<NamedRecords> {
  if (!RECORD_ID.test(source)) return { records: null, incomplete: 0 };
  const [record] = await catalog.archives({ ids: [source] }, options);
  if (record) return { records: [record], incomplete: 0 };
  const group = (await catalog.groups({}, options)).find(({ id }) => id === source);
  if (!group) return { records: null, incomplete: 0 };
  const all = await catalog.archives({ fractal_id: group.fractal_id }, options);
  const members = all.filter(({ group_id }) => group_id === source);
  const restorable = members.filter(({ status }) => status === 'completed' || status === 'restoring');
  if (restorable.length === 0)
    throw new BifractError('NOT_FOUND', `Group ${source} has no completed archive`);
  return {
    records: restorable,
    incomplete: Math.max(members.length, group.archive_count) - restorable.length,
  };
}

async function targetOf(
  { storages }: PlanArchiveRestoreDeps,
  record: ArchiveRecord,
  options: CallOptions,
): Promise<Target> {
  return targetOfRecord(await storagesOf(storages, record), record, record.id, options);
}

function intoOf(
  files: InspectedFile[],
  requested: string | undefined,
  fractals: Fractal[],
): ArchiveRestorePlan['into'] {
  const source_fractal = files.find(({ fractal }) => fractal)?.fractal;
  const id = requested ?? source_fractal?.id;
  if (id === undefined) {
    throw new BifractError('USAGE', 'Cannot tell which fractal the file belongs to', {
      hint: 'Choose a fractal with --into.',
    });
  }
  const name =
    fractals.find((file) => file.id === id)?.name ?? (source_fractal?.id === id ? source_fractal.name : null);
  return { id, name: name ?? id };
}

function estimate(rows: number, bytes: number, via: ArchiveRestorePlan['via']): number {
  return Math.round(1000 * Math.max(rows / ROWS_A_SECOND[via], bytes / BYTES_A_SECOND));
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) freeze(part);
  return Object.freeze(value);
}
