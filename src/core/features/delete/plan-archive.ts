import { posix } from 'node:path';
import { BifractError } from '../../contract/errors.ts';
import { archivePath, parseArchiveName } from '../../policy/names.ts';
import type { ArchiveRecord } from '../../ports/catalog.ts';
import type { CallOptions } from '../../ports/types.ts';
import { findFile, otherStorage } from '../files/record-file.ts';
import type { DeleteItem } from './contract.ts';
import { blankItem, fileOf, idleOrRefused } from './item.ts';
import type { PlanDeleteDeps } from './plan.ts';

/** A record and its file. */
export async function archiveItem(
  deps: PlanDeleteDeps,
  record: ArchiveRecord,
  options: CallOptions,
): Promise<DeleteItem> {
  const found = await findFile(deps.storages, record, options);
  const item: DeleteItem = {
    ...blankItem({ kind: 'archive', id: record.id }),
    title: `Archive of ${record.fractal_name}${record.period_label ? `, ${record.period_label}` : ''}`,
    ...(found && fileOf(found)),
    archive_id: record.id,
    created_at: record.created_at,
    notes: [
      ...(found ? [] : ['The file is missing: only the record will be deleted.']),
      ...(record.status === 'failed' ? ['The record is marked as failed.'] : []),
      ...(await onlyCopyNotes(deps, record, options)),
    ],
  };
  return idleOrRefused(deps, item, () => {
    if (record.status !== 'in_progress' && record.status !== 'restoring') return;
    const doing = record.status === 'restoring' ? 'restored' : 'written';
    throw new BifractError('BUSY', `${record.storage_path} is being ${doing}, according to its record`, {
      hint: 'Try again when it has ended; `bifract list orphans` shows whether it was interrupted.',
    });
  });
}

/** An archive file, with its record if it has one. */
export async function archiveFileItem(
  deps: PlanDeleteDeps,
  file: string,
  options: CallOptions,
): Promise<DeleteItem> {
  const filename = posix.basename(file);
  const parsed = parseArchiveName(filename);
  if (!parsed) {
    throw new BifractError('USAGE', `Not an archive id or an archive file: ${file}`, {
      hint: 'See `bifract list archives`.',
    });
  }
  const records = await (await deps.catalog()).archives({ fractal_id: parsed.fractal_id }, options);
  const record = records.find((one) => one.filename === filename);
  if (record) return archiveItem(deps, record, options);
  const name = archivePath(parsed.fractal_id, filename);
  for (const storage of [await deps.storages.archives(), await otherStorage(deps.storages, 'archives')]) {
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
    return idleOrRefused(deps, item);
  }
  throw new BifractError('NOT_FOUND', `Archive file not found: ${file}`, {
    hint: 'See `bifract list archives` and `bifract list orphans`.',
  });
}

/** Warns if retention has removed the rows from ClickHouse. */
async function onlyCopyNotes(
  deps: PlanDeleteDeps,
  { fractal_id, time_range_start: start, time_range_end: end, status }: ArchiveRecord,
  options: CallOptions,
): Promise<string[]> {
  if (status !== 'completed' || start === null || end === null) return [];
  const fractals = await (await deps.catalog()).fractals(options);
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
