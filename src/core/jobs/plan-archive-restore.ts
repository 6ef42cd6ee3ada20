import type { ArchiveRestorePlan, ArchiveRestoreQuery } from '../archive-restore.ts';
import { BifractError } from '../errors.ts';
import type { Key } from '../format/index.ts';
import type { ArchiveRecord, Fractal } from '../ports/catalog.ts';
import type { LogDatabase } from '../ports/log-database.ts';
import type { Storages } from '../ports/storage.ts';
import type { CallOptions, Timestamp } from '../ports/types.ts';
import { examine, type FoundFile } from './archive-found.ts';
import { type RestoreObstacleDeps, restoreObstacles } from './archive-restore-obstacles.ts';
import { storagesOf } from './record-file.ts';
import { restoreNotes } from './restore-notes.ts';
import { RECORD_ID, type Target, targetOfRecord } from './target.ts';

export interface PlanArchiveRestoreDeps extends RestoreObstacleDeps {
  logs: LogDatabase;
  storages: Storages;
  keys: readonly Key[];
  /** A file by its name, its path or the id of its record. */
  find(label: string): Promise<Target>;
  now: Date;
  /** Id of the plan. */
  id: string;
}

/** What restores on small machines were measured to bring back in a second. */
const ROWS_A_SECOND = { direct: 60_000, ingest: 15_000 };
const BYTES_A_SECOND = 30_000_000;

/** The records that a call names; null for a file. */
interface Named {
  records: ArchiveRecord[] | null;
  /** Of a group: archives of it that cannot be restored. */
  incomplete: number;
}

/** Plans a restore; see `ArchiveRestoreQueries`. Reads ends and trailers, and of a file that has neither nor a record all of it. */
export async function planArchiveRestore(
  deps: PlanArchiveRestoreDeps,
  query: ArchiveRestoreQuery,
): Promise<ArchiveRestorePlan> {
  const { signal, from = null, to = null, via = 'direct', replace = false } = query;
  mustBeWindow(from, to);
  const { records, incomplete } = await recordsOf(deps, query.source, { signal });
  const targets = records
    ? await Promise.all(records.map((record) => targetOf(deps, record, { signal })))
    : [await deps.find(query.source)];
  const found: FoundFile[] = [];
  for (const target of targets) found.push(await examine(target, deps.keys, { from, to }, { signal }));
  found.sort((a, b) => ((a.file.first ?? '') < (b.file.first ?? '') ? -1 : 1));
  const fractals = await deps.catalog.fractals({ signal });
  const into = intoOf(found, query.into, fractals);
  const fractal = fractals.find(({ id }) => id === into.id);
  const removes = replace ? removedWindow(found, { from, to }) : null;
  const window = removes ?? { from, to };
  const there = await deps.logs.stats(
    { fractal_id: into.id, from: window.from ?? undefined, to: window.to ?? undefined },
    { signal },
  );
  const rows = found.reduce((sum, { rows_within }) => sum + rows_within, 0);
  const content_bytes = found.reduce((sum, one) => sum + one.content_bytes, 0);
  const plan: ArchiveRestorePlan = {
    id: deps.id,
    planned_at: deps.now.toISOString(),
    files: found.map(({ file }) => file),
    into,
    from,
    to,
    via,
    replace,
    removes,
    rows,
    content_bytes,
    rows_there: there.rows,
    estimate_ms: estimate(rows, content_bytes, via),
    notes: restoreNotes({ found, incomplete, fractal, removes, query, now: deps.now }),
    obstacles: await restoreObstacles(
      deps,
      {
        found,
        incomplete,
        into,
        fractal,
        window: { from, to },
        via,
        removes,
        content_bytes,
        rows,
        rows_there: there.rows,
      },
      { signal },
    ),
  };
  return freeze(plan);
}

function mustBeWindow(from: Timestamp | null, to: Timestamp | null): void {
  if (from === null || to === null || Date.parse(from) < Date.parse(to)) return;
  throw new BifractError('USAGE', `Nothing is from ${from} on and before ${to}`, {
    hint: '--from is the first moment that counts, --to the first that no longer does.',
  });
}

/** Rows of other times are none of the archive's business: they would be gone for good. */
function removedWindow(
  found: readonly FoundFile[],
  { from, to }: { from: Timestamp | null; to: Timestamp | null },
): NonNullable<ArchiveRestorePlan['removes']> {
  const times = found.flatMap(({ file: { first, last } }) => (first && last ? [first, last] : []));
  const known =
    times.length > 0 && found.every(({ file: { rows, first, last } }) => rows === 0 || (first && last));
  const ms = times.map((time) => Date.parse(time));
  return {
    from: from ?? (known ? new Date(Math.min(...ms)).toISOString() : null),
    to: to ?? (known ? new Date(Math.max(...ms) + 1).toISOString() : null),
  };
}

/** The archive of that id, or the archives of the group of that id; null where it is no id that is known. */
async function recordsOf(
  { catalog }: PlanArchiveRestoreDeps,
  source: string,
  options: CallOptions,
): Promise<Named> {
  if (!RECORD_ID.test(source)) return { records: null, incomplete: 0 };
  const [record] = await catalog.archives({ ids: [source] }, options);
  if (record) return { records: [record], incomplete: 0 };
  const group = (await catalog.groups({}, options)).find(({ id }) => id === source);
  if (!group) return { records: null, incomplete: 0 };
  const all = await catalog.archives({ fractal_id: group.fractal_id }, options);
  const held = all.filter(({ group_id }) => group_id === source);
  const whole = held.filter(({ status }) => status === 'completed' || status === 'restoring');
  if (whole.length === 0)
    throw new BifractError('NOT_FOUND', `The group ${source} holds no completed archive`);
  return { records: whole, incomplete: Math.max(held.length, group.archive_count) - whole.length };
}

async function targetOf(
  { storages }: PlanArchiveRestoreDeps,
  record: ArchiveRecord,
  options: CallOptions,
): Promise<Target> {
  return targetOfRecord(await storagesOf(storages, record), record, record.id, options);
}

function intoOf(
  found: FoundFile[],
  wanted: string | undefined,
  fractals: Fractal[],
): ArchiveRestorePlan['into'] {
  const own = found.find(({ fractal }) => fractal)?.fractal;
  const id = wanted ?? own?.id;
  if (id === undefined) {
    throw new BifractError('USAGE', 'The file does not say which fractal its rows are of', {
      hint: 'Name the fractal that they are to go to with --into.',
    });
  }
  const name = fractals.find((one) => one.id === id)?.name ?? (own?.id === id ? own.name : null);
  return { id, name: name ?? id };
}

function estimate(rows: number, bytes: number, via: ArchiveRestorePlan['via']): number {
  return Math.round(1000 * Math.max(rows / ROWS_A_SECOND[via], bytes / BYTES_A_SECOND));
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) freeze(part);
  return Object.freeze(value);
}
