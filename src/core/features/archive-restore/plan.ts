import { randomUUID } from 'node:crypto';
import { BifractError } from '../../contract/errors.ts';
import type { ArchiveRecord, Fractal } from '../../ports/catalog.ts';
import type { Key } from '../../ports/key.ts';
import type { Services } from '../../ports/services.ts';
import type { State } from '../../ports/state.ts';
import type { CallOptions, Timestamp } from '../../ports/types.ts';
import { sanitize } from '../../text/sanitize.ts';
import { findTarget } from '../files/find-target.ts';
import { storagesOf } from '../files/record-file.ts';
import { RECORD_ID, type Target, targetOfRecord } from '../files/target.ts';
import { staleLocks, startedFractal } from './checkpoint.ts';
import type { ArchiveRestorePlan, ArchiveRestoreQuery } from './contract.ts';
import { differencesOf } from './differences.ts';
import { expiringRows } from './expiry.ts';
import { type RestoreFacts, restoreNotes, restoreObstacles } from './findings.ts';
import { type InspectedFile, inspectSource } from './inspect-source.ts';

/** Rates measured on small machines. */
const ROWS_PER_SECOND = { direct: 60_000, ingest: 15_000 };
const BYTES_PER_SECOND = 30_000_000;
/** Of a fractal, as the server limits it. */
const LONGEST_NAME = 100;

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
  assertValidTarget(query);
  const facts = await findFacts(services, query);
  const { into, creates, removes, rows, content_bytes, rows_there, differences, expires, now } = facts;
  return freeze({
    id: randomUUID(),
    planned_at: now.toISOString(),
    files: facts.files.map(({ file }) => file),
    into,
    creates,
    from,
    to,
    via,
    replace,
    ...(query.parallel !== undefined && { parallel: query.parallel }),
    removes,
    rows,
    content_bytes,
    rows_there,
    differences,
    expires,
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

function assertValidTarget({ into, into_new, replace }: ArchiveRestoreQuery): void {
  if (into_new === undefined) return;
  const invalid = into_new.trim() !== into_new || into_new === '' || into_new.length > LONGEST_NAME;
  if (invalid || into_new !== sanitize(into_new)) {
    throw new BifractError('USAGE', `Not a name for a fractal: ${JSON.stringify(into_new)}`, {
      hint: `A name has 1 to ${LONGEST_NAME} characters.`,
    });
  }
  if (into !== undefined)
    throw new BifractError(
      'USAGE',
      'Rows are restored into an existing fractal or into a new one, not both',
      {
        hint: 'Choose one of --into and --into-new.',
      },
    );
  if (replace)
    throw new BifractError('USAGE', 'A new fractal has no rows to replace', {
      hint: 'Restore without --replace.',
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
  const target = await targetOf(services.state, files, query, fractals);
  const { into } = target;
  const covered = coveredWindow(files, window);
  const { from, to } = covered;
  const there = { fractal_id: into.id, from: from ?? undefined, to: to ?? undefined };
  return {
    files,
    incomplete,
    ...target,
    differences:
      via === 'direct'
        ? differencesOf(files.map(archivedShape), await logs.shape({ signal, again: true }))
        : null,
    expires: expiringRows(
      files.flatMap(({ spans }) => spans),
      target.fractal,
      window,
      services.now(),
    ),
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

type RestoreTarget = Pick<RestoreFacts, 'into' | 'creates' | 'fractal' | 'name_taken'>;

async function targetOf(
  state: State,
  files: readonly InspectedFile[],
  query: ArchiveRestoreQuery,
  fractals: readonly Fractal[],
): Promise<RestoreTarget> {
  const source = files.find(({ fractal }) => fractal)?.fractal ?? null;
  if (query.into_new !== undefined) return newTarget(state, files, query, source, query.into_new, fractals);
  const id = query.into ?? source?.id;
  if (id === undefined) {
    throw new BifractError('USAGE', 'Cannot tell which fractal the file belongs to', {
      hint: 'Choose the fractal to restore into (--into), or a new one (--into-new).',
    });
  }
  const fractal = fractals.find((one) => one.id === id);
  const name = fractal?.name ?? (source?.id === id ? source.name : null);
  return { into: { id, name: name ?? id }, creates: null, fractal, name_taken: false };
}

/** A fractal to create: the one that an unfinished restore of the same request was going to create, if there is one. */
async function newTarget(
  state: State,
  files: readonly InspectedFile[],
  { from, to, via = 'direct', replace = false }: ArchiveRestoreQuery,
  source: InspectedFile['fractal'],
  name: string,
  fractals: readonly Fractal[],
): Promise<RestoreTarget> {
  const window = { from: from ?? null, to: to ?? null };
  const request = {
    files: files.map(({ file }) => file),
    into: { id: '' },
    creates: { name },
    ...window,
    via,
    replace,
  };
  const id = (await startedFractal(state, request)) ?? randomUUID();
  const covered = coveredWindow(files, window);
  const creates = { id, name, ...(source && { restored_from: { fractal_id: source.id, ...covered } }) };
  const name_taken = fractals.some((one) => one.name === name && one.id !== id);
  return { into: { id, name }, creates, fractal: undefined, name_taken };
}

function archivedShape({ file: { raw_from }, columns }: InspectedFile) {
  return { raw_from, columns };
}

function estimate(rows: number, bytes: number, via: ArchiveRestorePlan['via']): number {
  return Math.round(1000 * Math.max(rows / ROWS_PER_SECOND[via], bytes / BYTES_PER_SECOND));
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) freeze(part);
  return Object.freeze(value);
}
