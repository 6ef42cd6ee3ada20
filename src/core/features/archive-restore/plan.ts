import { randomUUID } from 'node:crypto';
import { BifractError } from '../../contract/errors.ts';
import type { ArchiveRecord, Fractal } from '../../ports/catalog.ts';
import type { Key } from '../../ports/key.ts';
import type { Services } from '../../ports/services.ts';
import type { CallOptions, Timestamp } from '../../ports/types.ts';
import { findTarget } from '../files/find-target.ts';
import { storagesOf } from '../files/record-file.ts';
import { RECORD_ID, type Target, targetOfRecord } from '../files/target.ts';
import { staleLocks } from './checkpoint.ts';
import type { ArchiveRestorePlan, ArchiveRestoreQuery } from './contract.ts';
import { type RestoreFacts, restoreNotes, restoreObstacles } from './findings.ts';
import { type InspectedFile, inspectSource } from './inspect-source.ts';

/** Rates measured on small machines. */
const ROWS_PER_SECOND = { direct: 60_000, ingest: 15_000 };
const BYTES_PER_SECOND = 30_000_000;

/** The files that the source names. */
interface Sources {
  targets: Target[];
  /** Archives of the group that cannot be restored. */
  incomplete: number;
}

/**
 * Plans a restore; see `ArchiveRestoreQueries`. Reads header and trailer; only a file with neither trailer nor record
 * is read completely.
 */
export async function planArchiveRestore(
  services: Services,
  query: ArchiveRestoreQuery,
): Promise<ArchiveRestorePlan> {
  const { from = null, to = null, via = 'direct', replace = false } = query;
  assertValidWindow(from, to);
  const facts = await findFacts(services, query);
  const { into, removes, rows, content_bytes, rows_there, now } = facts;
  return freeze({
    id: randomUUID(),
    planned_at: now.toISOString(),
    files: facts.files.map(({ file }) => file),
    into,
    from,
    to,
    via,
    replace,
    removes,
    rows,
    content_bytes,
    rows_there,
    estimate_ms: estimate(rows, content_bytes, via),
    notes: restoreNotes(facts),
    obstacles: restoreObstacles(facts),
  });
}

function assertValidWindow(from: Timestamp | null, to: Timestamp | null): void {
  if (from === null || to === null || Date.parse(from) < Date.parse(to)) return;
  throw new BifractError('USAGE', `The start of the time range (${from}) must be before its end (${to})`, {
    hint: 'The range includes its start and excludes its end.',
  });
}

async function findFacts(services: Services, query: ArchiveRestoreQuery): Promise<RestoreFacts> {
  const { signal, via = 'direct', replace = false } = query;
  const window = { from: query.from ?? null, to: query.to ?? null };
  const [catalog, logs, rows, keys] = await Promise.all([
    services.catalog(),
    services.logs(),
    services.logRestore(),
    services.keys(),
  ]);
  const { targets, incomplete } = await sourcesOf(services, query.source, { signal });
  const files = await inspectAll(targets, keys, window, { signal });
  const fractals = await catalog.fractals({ signal });
  const into = intoOf(files, query.into, fractals);
  const covered = coveredWindow(files, window);
  const { from, to } = covered;
  const there = { fractal_id: into.id, from: from ?? undefined, to: to ?? undefined };
  return {
    files,
    incomplete,
    into,
    fractal: fractals.find(({ id }) => id === into.id),
    window,
    via,
    removes: replace ? covered : null,
    content_bytes: files.reduce((sum, file) => sum + file.content_bytes, 0),
    rows: files.reduce((sum, { rows_within }) => sum + rows_within, 0),
    rows_there: (await logs.stats(there, { signal })).rows,
    archives: await catalog.archives({}, { signal }),
    stale_locks: await staleLocks(services.state),
    free_bytes: via === 'direct' ? await rows.freeBytes({ signal }) : null,
    has_token: via === 'ingest' && (await catalog.ingestToken(into.id, { signal })) !== null,
    now: services.now(),
  };
}

async function sourcesOf(services: Services, source: string, options: CallOptions): Promise<Sources> {
  const named = RECORD_ID.test(source) ? await recordsOf(services, source, options) : undefined;
  if (!named) {
    const target = await findTarget(services, source, { ...options, kind: 'archives' });
    return { targets: [target], incomplete: 0 };
  }
  const target = async (record: ArchiveRecord) =>
    targetOfRecord(await storagesOf(services, record), record, record.id, options);
  return { targets: await Promise.all(named.records.map(target)), incomplete: named.incomplete };
}

/** The archive with that id, or the archives of that group; undefined if neither exists. */
async function recordsOf(
  services: Pick<Services, 'catalog'>,
  source: string,
  options: CallOptions,
): Promise<{ records: ArchiveRecord[]; incomplete: number } | undefined> {
  const catalog = await services.catalog();
  const [record] = await catalog.archives({ ids: [source] }, options);
  if (record) return { records: [record], incomplete: 0 };
  const group = (await catalog.groups({}, options)).find(({ id }) => id === source);
  if (!group) return undefined;
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

/** Describes the files, the earliest rows first. */
async function inspectAll(
  targets: readonly Target[],
  keys: readonly Key[],
  window: RestoreFacts['window'],
  options: CallOptions,
): Promise<InspectedFile[]> {
  const files: InspectedFile[] = [];
  for (const target of targets) files.push(await inspectSource(target, keys, window, options));
  return files.sort((a, b) => ((a.file.first ?? '') < (b.file.first ?? '') ? -1 : 1));
}

/** The window within the time range of the files, as far as that is known: they cannot bring back other rows. */
function coveredWindow(
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

function intoOf(
  files: InspectedFile[],
  requested: string | undefined,
  fractals: Fractal[],
): ArchiveRestorePlan['into'] {
  const source_fractal = files.find(({ fractal }) => fractal)?.fractal;
  const id = requested ?? source_fractal?.id;
  if (id === undefined) {
    throw new BifractError('USAGE', 'Cannot tell which fractal the file belongs to', {
      hint: 'Choose the fractal to restore into (--into).',
    });
  }
  const name =
    fractals.find((file) => file.id === id)?.name ?? (source_fractal?.id === id ? source_fractal.name : null);
  return { id, name: name ?? id };
}

function estimate(rows: number, bytes: number, via: ArchiveRestorePlan['via']): number {
  return Math.round(1000 * Math.max(rows / ROWS_PER_SECOND[via], bytes / BYTES_PER_SECOND));
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) freeze(part);
  return Object.freeze(value);
}
