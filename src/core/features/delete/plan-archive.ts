import { posix } from 'node:path';
import { BifractError } from '../../contract/errors.ts';
import { archivePath, parseArchiveName } from '../../policy/names.ts';
import type { ArchiveRecord } from '../../ports/catalog.ts';
import type { CallOptions } from '../../ports/types.ts';
import { findFile, otherStorage } from '../files/record-file.ts';
import { foreignFile, type Located, namesOf, namesOwnFile, RECORD_ID } from '../files/target.ts';
import { unreadable } from '../files/unreadable.ts';
import { proveArchive } from '../inspect/prove-archive.ts';
import type { DeleteItem } from './contract.ts';
import { blankItem, fileOf, idleOrRefused, type PlanDeleteServices, refused } from './item.ts';

/** The item of an archive, by record id or file name. */
export async function archiveItem(
  services: PlanDeleteServices,
  id: string,
  options: CallOptions,
): Promise<DeleteItem> {
  if (!RECORD_ID.test(id)) return fileItem(services, id, options);
  const [record] = await (await services.catalog()).archives({ ids: [id] }, options);
  if (record) return recordItem(services, record, options);
  throw new BifractError('NOT_FOUND', `Archive not found: ${id}`, { hint: 'See `bifract list archives`.' });
}

/** The archives of a group, or the group itself if it has none. */
export async function groupItems(
  services: PlanDeleteServices,
  id: string,
  options: CallOptions,
): Promise<DeleteItem[]> {
  const catalog = await services.catalog();
  const group = RECORD_ID.test(id) && (await catalog.groups({}, options)).find((one) => one.id === id);
  if (!group)
    throw new BifractError('NOT_FOUND', `Group not found: ${id}`, {
      hint: '`bifract list archives --json` shows the group of each archive.',
    });
  const records = (await catalog.archives({ fractal_id: group.fractal_id }, options)).filter(
    ({ group_id }) => group_id === id,
  );
  if (records.length === 0) {
    const { created_at } = group;
    return [{ ...blankItem({ kind: 'group', id }), title: 'Group without archives', created_at }];
  }
  return Promise.all(records.map((record) => recordItem(services, record, options)));
}

/** A record and its file. */
async function recordItem(
  services: PlanDeleteServices,
  record: ArchiveRecord,
  options: CallOptions,
): Promise<DeleteItem> {
  const blank = {
    ...blankItem({ kind: 'archive', id: record.id }),
    title: `Archive of ${record.fractal_name}${record.period_label ? `, ${record.period_label}` : ''}`,
    archive_id: record.id,
    created_at: record.created_at,
  };
  if (!namesOwnFile(record)) return refused(blank, foreignFile(record));
  const found = await findFile(services, record, options);
  const item: DeleteItem = {
    ...blank,
    ...(found && fileOf(found)),
    notes: [
      ...(found ? [] : ['The file is missing: only the record will be deleted.']),
      ...(record.status === 'failed' ? ['The record is marked as failed.'] : []),
      ...(await onlyCopyNotes(services, record, options)),
    ],
  };
  const idle = await idleOrRefused(services, item, () => {
    if (record.status !== 'in_progress' && record.status !== 'restoring') return;
    const doing = record.status === 'restoring' ? 'restored' : 'written';
    throw new BifractError('BUSY', `${record.storage_path} is being ${doing}, according to its record`, {
      hint: 'Try again when it has ended; `bifract list orphans` shows whether it was interrupted.',
    });
  });
  return found
    ? provenOrRefused(services, idle, found, { fractal_id: record.fractal_id, record }, options)
    : idle;
}

/** The item, kept if its file is not the archive that it is taken for, or cannot be read. */
async function provenOrRefused(
  { keys }: PlanDeleteServices,
  item: DeleteItem,
  file: Located,
  claim: Parameters<typeof proveArchive>[1],
  options: CallOptions,
): Promise<DeleteItem> {
  if (item.refusal) return item;
  try {
    await proveArchive(file, claim, await keys(), options);
    return item;
  } catch (thrown) {
    return refused(item, unreadable(thrown, options.signal));
  }
}

/** Keeps the items whose file another record names too. */
export async function refuseSharedFiles(
  services: PlanDeleteServices,
  items: DeleteItem[],
  options: CallOptions,
): Promise<void> {
  if (!items.some(({ archive_id, action }) => archive_id !== null && action === 'delete')) return;
  const shared = sharedFiles(await (await services.catalog()).archives({}, options));
  for (const [index, item] of items.entries()) {
    if (item.action === 'delete' && item.name !== null && shared.has(item.name))
      items[index] = refused(item, sharedFile());
  }
}

/** Files that several records name that have not failed. */
export function sharedFiles(records: readonly ArchiveRecord[]): Set<string> {
  const seen = new Set<string>();
  const shared = new Set<string>();
  for (const record of records) {
    if (record.status === 'failed') continue;
    for (const name of namesOf(record)) (seen.has(name) ? shared : seen).add(name);
  }
  return shared;
}

export function sharedFile(): BifractError {
  return new BifractError('RECORD_DIFFERS', 'Several records name this file', {
    hint: 'Find out who changed the table archives of the database, and remove the wrong record there.',
  });
}

/** Warns if retention has removed the rows from ClickHouse. */
async function onlyCopyNotes(
  services: PlanDeleteServices,
  { fractal_id, time_range_start: start, time_range_end: end, status }: ArchiveRecord,
  options: CallOptions,
): Promise<string[]> {
  if (status !== 'completed' || start === null || end === null) return [];
  const fractals = await (await services.catalog()).fractals(options);
  const fractal = fractals.find(({ id }) => id === fractal_id);
  if (!fractal) return [];
  const { earliest_log } = fractal;
  if (earliest_log === null || Date.parse(end) < Date.parse(earliest_log))
    return [
      'According to the server’s statistics, its rows are no longer in ClickHouse: this may be the only copy.',
    ];
  if (Date.parse(start) < Date.parse(earliest_log))
    return [`According to the server’s statistics, ClickHouse has no rows before ${earliest_log}.`];
  return [];
}

/** An archive file, with its record if it has one. */
async function fileItem(
  services: PlanDeleteServices,
  file: string,
  options: CallOptions,
): Promise<DeleteItem> {
  const filename = posix.basename(file);
  const parsed = parseArchiveName(filename);
  if (!parsed) {
    throw new BifractError('USAGE', `Not an archive ID or archive file: ${file}`, {
      hint: 'See `bifract list archives`.',
    });
  }
  const records = await (await services.catalog()).archives({ fractal_id: parsed.fractal_id }, options);
  const record = records.find((one) => one.filename === filename);
  if (record) return recordItem(services, record, options);
  const name = archivePath(parsed.fractal_id, filename);
  for (const storage of [await services.archives(), await otherStorage(services, 'archives')]) {
    const object = await storage?.stat(name, options);
    if (!storage || !object) continue;
    const title = 'Archive file without a record';
    const created_at = parsed.created_at.toISOString();
    const item = {
      ...blankItem({ kind: 'archive', id: name }),
      title,
      ...fileOf({ storage, object }),
      created_at,
    };
    const idle = await idleOrRefused(services, item);
    return provenOrRefused(services, idle, { storage, object }, { fractal_id: parsed.fractal_id }, options);
  }
  throw new BifractError('NOT_FOUND', `Archive file not found: ${file}`, {
    hint: 'See `bifract list archives` and `bifract list orphans`.',
  });
}

/** Notes which fractals will have no archive left, and which groups are deleted with their last archive. */
export async function addLastArchiveNotes(
  services: PlanDeleteServices,
  items: DeleteItem[],
  options: CallOptions,
): Promise<void> {
  const to_delete = new Set(
    items.flatMap(({ action, archive_id }) => (action === 'delete' && archive_id ? [archive_id] : [])),
  );
  if (to_delete.size === 0) return;
  const records = await (await services.catalog()).archives({}, options);
  const left = records.filter(({ id }) => !to_delete.has(id));
  const deleted = records.filter(({ id }) => to_delete.has(id));
  for (const item of items.filter(({ archive_id }) => archive_id !== null && to_delete.has(archive_id))) {
    const record = deleted.find(({ id }) => id === item.archive_id);
    if (record) item.notes.push(...lastArchiveNotes(record, deleted, left));
  }
}

function lastArchiveNotes(
  { group_id, fractal_id, fractal_name }: ArchiveRecord,
  deleted: readonly ArchiveRecord[],
  left: readonly ArchiveRecord[],
): string[] {
  const isCompleted = (one: ArchiveRecord) => one.fractal_id === fractal_id && one.status === 'completed';
  const last = deleted.some(isCompleted) && !left.some(isCompleted);
  const alone = group_id !== null && !left.some((one) => one.group_id === group_id);
  return [
    ...(last ? [`No archive of ${fractal_name} will be left.`] : []),
    ...(alone ? ['The empty group is removed too.'] : []),
  ];
}
