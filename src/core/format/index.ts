/**
 * Entry point of the file formats: reads and writes sealed streams and their content. Streams only, no file access.
 * The layout is described in `docs/format.md`.
 */
export { archiveBytes, archiveLines } from './archive-lines.ts';
export { type ArchiveRow, type MalformedLine, parseLine } from './archive-row.ts';
export { type ContentReader, type ContentSummary, type ReadOptions, readContent } from './content-reader.ts';
export { type ByteSource, describeFile as describe, type FileDescription } from './describe-file.ts';
export { generateKey, keyId, parseKey } from './key.ts';
export { LineChecker, type LineTotals } from './line-checker.ts';
export { type BackupManifest, backupManifest, type ConsoleManifest } from './manifest.ts';
export type { ArchiveHead, BackupHead, ContentKind, End, FrameEntry, Head, RowPosition } from './metadata.ts';
export { type FrameContent, readFrames } from './read-frames.ts';
export { readStream } from './read-stream.ts';
export { type ReencryptedFile as ResealedFile, reencryptFile as reseal } from './reencrypt-file.ts';
export {
  RestoreLineEncoder as RestoreLines,
  type RestoreTotals,
  type RowRange,
} from './restore-line-encoder.ts';
export { ResumePoint as LineTail, rowKeyOf as keyOf } from './resume-point.ts';
export { type ScannedRow, scanRow } from './scan-row.ts';
export type { FileSummary, SealedFile, WriteOptions } from './sealed-file.ts';
export { splitBackup } from './split-backup.ts';
export { writeArchive, writeBackup } from './write.ts';
