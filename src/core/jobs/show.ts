import { asBifractError } from '../errors.ts';
import type { FileReport } from '../files.ts';
import {
  type BackupManifest,
  type ByteSource,
  describe,
  type FileDescription,
  type Key,
  readFrames,
  splitBackup,
} from '../format/index.ts';
import { parseArchiveName, periodOf } from '../policy/names.ts';
import type { CallOptions } from '../ports/types.ts';
import { compareWithRecord } from './compare-record.ts';
import { kindByName } from './content-kind.ts';
import { type Front, readFront } from './read-front.ts';
import { sourceOf } from './source.ts';
import type { Target } from './target.ts';

/**
 * What a file is, by its first bytes and its tail, and of a backup its manifest. Of a file without sealed ends
 * by its front alone; the notes then say what that cannot tell. Errors as of `describe`.
 */
export async function show(
  target: Target,
  keys: readonly Key[],
  options: CallOptions = {},
): Promise<FileReport> {
  const source = sourceOf(target.storage, target.object, options);
  const description = await describe(source, keys, options);
  const report = description.sealed
    ? await ofSealed(target, source, description, keys, options)
    : await ofUnsealed(target, source, description, keys, options);
  return { ...report, notes: [...report.notes, ...recordNotes(target, report)] };
}

async function ofSealed(
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

async function ofUnsealed(
  target: Target,
  source: ByteSource,
  description: FileDescription,
  keys: readonly Key[],
  options: CallOptions,
): Promise<FileReport> {
  const front = await readFront(source, keys, kindByName(target.object.name), options);
  const named = parseArchiveName(target.object.name.split('/').at(-1) ?? '');
  const id = front.first?.fid || named?.fractal_id;
  return {
    ...known(target, description),
    kind: front.kind,
    uuid: null,
    tool: front.manifest ? `Bifract ${front.manifest.version}`.trim() : null,
    created_at: front.manifest?.timestamp ?? named?.created_at.toISOString() ?? null,
    fractal: id ? { id, name: target.record?.fractal_name ?? null } : null,
    ...periodOf(named?.label),
    fields: front.first ? front.first.fields !== null : null,
    rows: null,
    content_bytes: null,
    content_sha256: null,
    first: front.first?.ts ?? null,
    last: null,
    frames: null,
    backup: front.manifest ? backupOf(front.manifest) : null,
    notes: unsealedNotes(front),
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
    tables: own?.tables?.map(({ schema, name, rows }) => ({ schema, name, rows })) ?? null,
    variables: Object.keys(env_vars).sort(),
  };
}

function unsealedNotes({ kind, first, manifest, over }: Front): string[] {
  const what = kind === 'archive' ? 'rows, last time and size of its content' : 'size of its content';
  const notes = [
    `The file has no sealed ends: ${what} are told only by reading all of it (\`bifract verify\`).`,
  ];
  if (over) notes.push('Its beginning is too long to be read for this: what it holds is not told.');
  else if (kind === 'archive' && first === null) notes.push('It holds no row, or its first line is none.');
  if (manifest && 'BIFRACT_BACKUP_ENCRYPTION_KEY' in manifest.env_vars) {
    notes.push('Its manifest carries the key that opens it, as backups of the server do.');
  }
  return notes;
}

function recordNotes({ record, record_unknown }: Target, report: FileReport): string[] {
  if (record_unknown !== null) return [`Its record could not be looked up: ${record_unknown}.`];
  if (report.kind === 'archive' && record === null) return ['It has no record; `bifract adopt` makes one.'];
  if (record === null) return [];
  if (record.status !== 'completed' && record.status !== 'restoring')
    return [`Its record says: ${record.status}.`];
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
