import { randomUUID } from 'node:crypto';
import type { LineBlock } from '../ports/log-database.ts';
import { archiveFrames } from './archive-frames.ts';
import { backupFrames } from './backup-frames.ts';
import type { BackupManifest } from './manifest.ts';
import { type ArchiveHead, type BackupHead, type ContentKind, HEAD_VERSION, type Head } from './metadata.ts';
import { FileWriter, type SealedFile, type WriteOptions } from './sealed-file.ts';

/**
 * Writes an archive: the header line, then `lines`.
 *
 * Blocks hold complete lines, of any number and length, and must not change before the next one is requested. Throws
 * `INTERNAL` for a block that ends inside a line or miscounts its lines.
 */
export function writeArchive(
  lines: AsyncIterable<LineBlock>,
  options: WriteOptions & { head: ArchiveHead },
): SealedFile {
  const { tool, fractal, period, split, fields } = options.head;
  const head = { ...common('archive', options.head), tool, fractal, period, split, fields, end: true };
  return new FileWriter(head, (hash) => archiveFrames(lines, hash), options);
}

/** Writes a backup: the manifest, without any encryption key, and the dump. */
export function writeBackup(
  manifest: BackupManifest,
  dump: AsyncIterable<Uint8Array>,
  options: WriteOptions & { head: BackupHead },
): SealedFile {
  const { tool, reason } = options.head;
  const head = { ...common('backup', options.head), tool, reason, end: true };
  return new FileWriter(head, (hash) => backupFrames(manifest, dump, hash), options);
}

function common(
  kind: ContentKind,
  head: ArchiveHead | BackupHead,
): Pick<Head, 'v' | 'kind' | 'uuid' | 'created'> {
  const created = head.created ?? new Date().toISOString();
  return { v: HEAD_VERSION, kind, uuid: head.uuid ?? randomUUID(), created };
}
