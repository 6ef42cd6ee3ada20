import { asBifractError } from '../../contract/errors.ts';
import {
  type BackupManifest,
  type ByteSource,
  describeFile,
  type FileDescription,
  readFrames,
  splitBackup,
} from '../../format/index.ts';
import { parseArchiveName, parsePeriodLabel } from '../../policy/names.ts';
import type { TableCount } from '../../ports/database.ts';
import type { Key } from '../../ports/key.ts';
import type { Services } from '../../ports/services.ts';
import type { CallOptions } from '../../ports/types.ts';
import { type FileServices, findTarget } from '../files/find-target.ts';
import type { Target } from '../files/target.ts';
import { compareWithRecord } from './compare-record.ts';
import { kindByName } from './content-kind.ts';
import type { FileReport } from './contract.ts';
import { sourceOf } from './object-source.ts';
import { type HeadContent, readHead } from './read-head.ts';

/** Describes a file by a few small reads; see `InspectQueries.show`. */
export async function show(
  services: FileServices & Pick<Services, 'catalog' | 'keys'>,
  label: string,
  options: CallOptions = {},
): Promise<FileReport> {
  const keys = await services.keys();
  return describeTarget(await findTarget(services, label, options), keys, options);
}

/**
 * Describes a file by its header and trailer, a backup also by its manifest; a file without them by its head
 * only. Errors of `describeFile`.
 */
export async function describeTarget(
  target: Target,
  keys: readonly Key[],
  options: CallOptions = {},
): Promise<FileReport> {
  const source = sourceOf(target.storage, target.object, options);
  const description = await describeFile(source, keys, options);
  const report = description.sealed
    ? await reportSealed(target, source, description, keys, options)
    : await reportUnsealed(target, source, description, keys, options);
  return { ...report, notes: [...report.notes, ...recordNotes(target, report)] };
}

async function reportSealed(
  target: Target,
  source: ByteSource,
  description: FileDescription,
  keys: readonly Key[],
  options: CallOptions,
): Promise<FileReport> {
  const { head, end, index } = description;
  const isBackup = head?.kind === 'backup';
  const manifest = isBackup ? await sealedManifest(source, description, keys, options) : undefined;
  return {
    ...known(target, description),
    kind: head?.kind ?? 'archive',
    uuid: head?.uuid ?? null,
    tool: head?.tool ?? null,
    created_at: head?.created ?? null,
    fractal: head?.fractal ?? null,
    period: head?.period ?? null,
    split: head?.split ?? null,
    fields: head?.fields ?? null,
    raw_from: isBackup ? null : (head?.raw_from ?? 'logs'),
    columns: head?.columns?.map((column) => ({ ...column })) ?? null,
    rows: isBackup ? null : (end?.rows ?? null),
    content_bytes: end?.bytes ?? null,
    content_sha256: end?.sha256 ?? null,
    first: end?.first ?? null,
    last: end?.last ?? null,
    frames: index?.length ?? null,
    backup: manifest ? backupOf(manifest) : null,
    notes: [],
  };
}

async function sealedManifest(
  source: ByteSource,
  description: FileDescription,
  keys: readonly Key[],
  options: CallOptions,
): Promise<BackupManifest> {
  const frames = description.index?.length ?? 0;
  const content = async function* () {
    // One frame at a time: reading ahead would fetch frames of the dump.
    for (let frame = 0; frame < frames; frame++) {
      for await (const { plain } of readFrames(source, description, keys, frame, frame + 1, options))
        yield plain;
    }
  };
  return (await splitBackup(content())).manifest;
}

async function reportUnsealed(
  target: Target,
  source: ByteSource,
  description: FileDescription,
  keys: readonly Key[],
  options: CallOptions,
): Promise<FileReport> {
  const head = await readHead(source, keys, kindByName(target.object.name), options);
  const named = parseArchiveName(target.object.name.split('/').at(-1) ?? '');
  const id = head.first?.fid || named?.fractal_id;
  return {
    ...known(target, description),
    kind: head.kind,
    uuid: null,
    tool: head.manifest ? `Bifract ${head.manifest.version}`.trim() : null,
    created_at: head.manifest?.timestamp ?? named?.created_at.toISOString() ?? null,
    fractal: id ? { id, name: target.record?.fractal_name ?? null } : null,
    ...parsePeriodLabel(named?.label),
    fields: head.first ? head.first.fields !== null : null,
    raw_from: head.kind === 'archive' ? 'logs' : null,
    columns: null,
    rows: null,
    content_bytes: null,
    content_sha256: null,
    first: head.first?.ts ?? null,
    last: null,
    frames: null,
    backup: head.manifest ? backupOf(head.manifest) : null,
    notes: unsealedNotes(head),
  };
}

function known(target: Target, { size_bytes, key_id, sealed }: FileDescription) {
  const { path, object, storage, record } = target;
  return { path, name: object.name, storage_type: storage.kind, size_bytes, key_id, sealed, record };
}

function backupOf({
  version,
  timestamp,
  env_vars,
  bifract_console: own,
}: BackupManifest): FileReport['backup'] {
  return {
    version,
    timestamp,
    server_version: own?.server_version ?? null,
    pg_dump_version: own?.pg_dump_version ?? null,
    database: own?.database ?? null,
    tables: own?.tables?.map(tableOf) ?? null,
    variables: Object.keys(env_vars).sort(),
  };
}

function tableOf({ schema, name, rows, crc32 }: TableCount) {
  return { schema, name, rows, checksum: crc32 !== undefined };
}

function unsealedNotes({ kind, first, manifest, truncated }: HeadContent): string[] {
  const what = kind === 'archive' ? 'rows, last time and size of its content' : 'size of its content';
  const notes = [
    `No header and trailer: ${what} are known only after reading the full file (\`bifract verify\`).`,
  ];
  if (truncated) notes.push('The first row or the manifest is too long to read here: content not shown.');
  else if (kind === 'archive' && first === null)
    notes.push('The archive is empty, or its first line is not a valid row.');
  if (manifest && 'BIFRACT_BACKUP_ENCRYPTION_KEY' in manifest.env_vars) {
    notes.push('The manifest contains the encryption key, as in backups made by the server.');
  }
  return notes;
}

function recordNotes({ record, record_unknown }: Target, report: FileReport): string[] {
  if (record_unknown !== null) return [`Cannot look up the record: ${record_unknown}.`];
  if (report.kind === 'archive' && record === null) return ['No record; add one with `bifract adopt`.'];
  if (record === null) return [];
  if (record.status !== 'completed' && record.status !== 'restoring')
    return [`Record status: ${record.status}.`];
  const { size_bytes, rows, sealed, fractal } = report;
  const times = sealed ? { first: report.first, last: report.last } : { first: null, last: null };
  try {
    compareWithRecord(record, {
      size_bytes,
      rows,
      ...times,
      sealed,
      checksum: null,
      fractal_id: fractal?.id ?? null,
    });
    return [];
  } catch (error) {
    return [`${asBifractError(error).message}.`];
  }
}
