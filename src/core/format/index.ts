/**
 * The door of the file formats: sealed streams with their content, in and out. Streams only; where bytes come
 * from and go to is the caller's business. The layout is described in `docs/format.md`.
 */
export type {
  ArchiveHead,
  BackupHead,
  ContentKind,
  End,
  FrameEntry,
  Head,
  RowPosition,
  Trailer,
} from './ends.ts';
export { generateKey, type Key, keyId, parseKey } from './key.ts';
export { type BackupManifest, backupManifest, type ConsoleManifest } from './manifest.ts';
export type { FileSummary, SealedFile, WriteOptions } from './sealed-file.ts';
export { writeArchive, writeBackup } from './write.ts';
