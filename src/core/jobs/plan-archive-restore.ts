import type { ArchiveRestoreFile, ArchiveRestorePlan, ArchiveRestoreQuery } from '../archive-restore.ts';
import { BifractError, type ErrorReport } from '../errors.ts';
import { describe, type FileDescription, type Key } from '../format/index.ts';
import { parseArchiveName } from '../policy/names.ts';
import { rangeOf } from '../policy/row-range.ts';
import type { ArchiveRecord, Catalog, Fractal } from '../ports/catalog.ts';
import type { LogDatabase } from '../ports/log-database.ts';
import type { LogRestore } from '../ports/log-restore.ts';
import type { Storages } from '../ports/storage.ts';
import type { CallOptions, Timestamp } from '../ports/types.ts';
import { readWhole } from './read-whole.ts';
import { storagesOf } from './record-file.ts';
import { restoreNotes } from './restore-notes.ts';
import { sourceOf } from './source.ts';
import { RECORD_ID, type Target, targetOfRecord } from './target.ts';

export interface PlanArchiveRestoreDeps {
  catalog: Catalog;
  logs: LogDatabase;
  rows: LogRestore;
  storages: Storages;
  keys: readonly Key[];
  /** A file by its name, its path or the id of its record. */
  find(label: string): Promise<Target>;
  /** Whether the fractal has a token that lines can be sent with. */
  hasToken(fractal_id: string): Promise<boolean>;
  /** Archives that are marked as being restored by jobs that are dead: the next job takes the mark away. */
  stale: ReadonlySet<string>;
  now: Date;
  /** Id of the plan. */
  id: string;
}

/** What restores on small machines were measured to bring back in a second. */
const ROWS_A_SECOND = { direct: 60_000, ingest: 15_000 };
const BYTES_A_SECOND = 30_000_000;
/** How much larger content is than its file, where the file does not tell. */
const USUAL_RATIO = 8;

/** A file, and what was found out about it. */
export interface FoundFile {
  file: ArchiveRestoreFile;
  content_bytes: number;
  /** Rows of frames that the window touches. */
  rows_within: number;
  sealed: boolean;
  fractal: { id: string; name: string | null } | null;
  obstacles: ErrorReport[];
}

/** The records that a call names; null for a file. */
export interface Named {
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
  const named = await recordsOf(deps, query.source, { signal });
  const targets = named.records
    ? await Promise.all(named.records.map((record) => targetOf(deps, record, { signal })))
    : [await deps.find(query.source)];
  const found: FoundFile[] = [];
  for (const target of targets) found.push(await examine(target, deps, { from, to }, { signal }));
  found.sort((a, b) => ((a.file.first ?? '') < (b.file.first ?? '') ? -1 : 1));
  const fractals = await deps.catalog.fractals({ signal });
  const into = intoOf(found, query.into, fractals);
  const known = fractals.find(({ id }) => id === into.id);
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
    notes: restoreNotes({ found, named, fractal: known, removes, query, now: deps.now }),
    obstacles: [
      ...found.flatMap(({ obstacles }) => obstacles),
      ...gapObstacles(named, removes, { from, to }),
      ...(await obstaclesOf(deps, { found, into, known, content_bytes, via, removes }, { signal })),
    ],
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

/** From the first archive of a group to its last there are times that only the lacking ones hold. */
function gapObstacles(
  { incomplete }: Named,
  removes: ArchiveRestorePlan['removes'],
  { from, to }: { from: Timestamp | null; to: Timestamp | null },
): ErrorReport[] {
  if (!removes || incomplete === 0 || (from !== null && to !== null)) return [];
  const message = `${incomplete} archives of the group are not complete: rows of their time would be removed, and not come back`;
  return [
    { code: 'USAGE', message, hint: 'Give --from and --to around what is complete, or leave --replace out.' },
  ];
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

/** What a file is, without reading its rows where anything else tells of them. */
async function examine(
  target: Target,
  { keys, stale }: Pick<PlanArchiveRestoreDeps, 'keys' | 'stale'>,
  window: { from: Timestamp | null; to: Timestamp | null },
  options: CallOptions,
): Promise<FoundFile> {
  const { object, record, path } = target;
  const description = await describe(sourceOf(target.storage, object, options), keys, options);
  if (description.head?.kind === 'backup')
    throw new BifractError('NOT_BIFRACT', `${path} is a backup, no archive`, {
      hint: '`bifract restore` restores it.',
    });
  const content = description.sealed ? ofEnds(description, window) : await ofFront(target, keys, options);
  const { head } = description;
  const name = object.name.split('/').at(-1) ?? object.name;
  const fractal_id = record?.fractal_id ?? head?.fractal?.id ?? parseArchiveName(name)?.fractal_id;
  return {
    file: {
      archive_id: record?.id ?? null,
      name,
      path,
      size_bytes: object.size_bytes,
      rows: content.rows,
      first: content.first,
      last: content.last,
      fields: head?.fields === true,
    },
    content_bytes: content.content_bytes,
    rows_within: content.rows_within,
    sealed: description.sealed,
    fractal: fractal_id
      ? { id: fractal_id, name: record?.fractal_name ?? head?.fractal?.name ?? null }
      : null,
    obstacles: recordObstacles(target, stale),
  };
}

function ofEnds({ end, index }: FileDescription, window: { from: Timestamp | null; to: Timestamp | null }) {
  const range = rangeOf(window);
  const touched = (index ?? []).filter(({ first, last }) => {
    if (!range || !first || !last) return true;
    return Date.parse(last.ts) >= range.from_ms && Date.parse(first.ts) < range.to_ms;
  });
  const rows = end?.rows ?? 0;
  const within = range ? touched.reduce((sum, frame) => sum + frame.rows, 0) : rows;
  const bytes = range ? touched.reduce((sum, frame) => sum + frame.plain, 0) : (end?.bytes ?? 0);
  return {
    rows,
    first: end?.first ?? null,
    last: end?.last ?? null,
    rows_within: within,
    content_bytes: bytes,
  };
}

/** A file of the server's tells nothing of itself; its record does. */
async function ofFront({ storage, object, record }: Target, keys: readonly Key[], { signal }: CallOptions) {
  if (record && record.checksum !== null) {
    const { log_count: rows, time_range_start: first, time_range_end: last } = record;
    return { rows, first, last, rows_within: rows, content_bytes: USUAL_RATIO * object.size_bytes };
  }
  const { summary, lines } = await readWhole(storage, object, { keys, signal });
  const rows = lines?.rows ?? 0;
  const { content_bytes } = summary;
  return { rows, first: lines?.first ?? null, last: lines?.last ?? null, rows_within: rows, content_bytes };
}

function recordObstacles({ record, object }: Target, stale: ReadonlySet<string>): ErrorReport[] {
  if (!record) return [];
  const { id, status, size_bytes } = record;
  if (status === 'in_progress' || (status === 'restoring' && !stale.has(id))) {
    const message = `The archive ${id} is being ${status === 'restoring' ? 'restored' : 'written'}, as its record says`;
    return [{ code: 'BUSY', message, hint: 'Wait until that has ended, then try again.' }];
  }
  if (status === 'failed') {
    const hint = 'Where the file is sound, `bifract adopt` sets its record right.';
    return [{ code: 'RECORD_DIFFERS', message: `The record of archive ${id} says that it failed`, hint }];
  }
  if (size_bytes !== object.size_bytes) {
    const message = `The file of archive ${id} has ${object.size_bytes} bytes, its record says ${size_bytes}`;
    return [{ code: 'RECORD_DIFFERS', message, hint: '`bifract verify` tells more.' }];
  }
  return [];
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

async function obstaclesOf(
  { catalog, rows, hasToken, stale }: PlanArchiveRestoreDeps,
  about: {
    found: FoundFile[];
    into: ArchiveRestorePlan['into'];
    known: Fractal | undefined;
    content_bytes: number;
    via: ArchiveRestorePlan['via'];
    removes: ArchiveRestorePlan['removes'];
  },
  options: CallOptions,
): Promise<ErrorReport[]> {
  const { found, into, known, content_bytes, via, removes } = about;
  const obstacles: ErrorReport[] = [];
  if (!known) {
    obstacles.push({
      code: 'NOT_FOUND',
      message: `There is no fractal ${into.name}`,
      hint: 'Make it in Bifract, or name another one with --into. See `bifract list fractals`.',
    });
  }
  const own = new Set(found.flatMap(({ fractal, file }) => (fractal && file.archive_id ? [fractal.id] : [])));
  const held = new Set(found.map(({ file }) => file.archive_id));
  for (const { id, status, fractal_id, fractal_name } of await catalog.archives({}, options)) {
    if (
      !own.has(fractal_id) ||
      held.has(id) ||
      stale.has(id) ||
      !['in_progress', 'restoring'].includes(status)
    )
      continue;
    const deed = status === 'restoring' ? 'restored from' : 'archived';
    obstacles.push({
      code: 'BUSY',
      message: `Fractal ${fractal_name} is just being ${deed}`,
      hint: 'Wait until that has ended, then try again.',
    });
  }
  const free = await rows.freeBytes(options);
  if (via === 'direct' && free !== null && content_bytes / USUAL_RATIO > free) {
    obstacles.push({
      code: 'STORAGE_FULL',
      message: `ClickHouse has ${free} bytes free, which is too little for these rows`,
      hint: 'Free some space there, or restore a window with --from and --to.',
    });
  }
  if (removes && (removes.from === null || removes.to === null)) {
    obstacles.push({
      code: 'USAGE',
      message: 'The archive does not tell of which time its rows are, so nothing says which rows to replace',
      hint: 'Give --from and --to: rows of that time are replaced.',
    });
  }
  if (via === 'ingest' && removes) {
    obstacles.push({
      code: 'UNSUPPORTED',
      message: 'Rows cannot be replaced by way of ingest',
      hint: 'Ingest gives them other times and ids. Leave --replace out, or restore directly.',
    });
  }
  if (via === 'ingest' && !(await hasToken(into.id))) {
    obstacles.push({
      code: 'NOT_FOUND',
      message: `Fractal ${into.name} has no active ingest token`,
      hint: 'Make one in Bifract, or restore directly.',
    });
  }
  return obstacles;
}

function estimate(rows: number, bytes: number, via: ArchiveRestorePlan['via']): number {
  return Math.round(1000 * Math.max(rows / ROWS_A_SECOND[via], bytes / BYTES_A_SECOND));
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) freeze(part);
  return Object.freeze(value);
}
