/**
 * Entry point of the file formats: reads and writes backups and archives. Streams only, no file access. The layout is
 * described in `docs/reference/format.md`. Three layers, each importing only those before it:
 *
 * - `envelope/`: the encrypted stream of chunks, with its trailer
 * - `frames/`: the zstd frames in that stream
 * - `content/`: what the frames hold: metadata, and the lines of an archive or the manifest and dump of a backup
 */
export { archiveBytes, archiveLines } from './content/archive-lines.ts';
export { type ArchiveRow, type MalformedLine, parseLine } from './content/archive-row.ts';
export { type BackupManifest, backupManifest, type ConsoleManifest, splitBackup } from './content/backup.ts';
export { describeFile as describe, type FileDescription } from './content/describe-file.ts';
export type { ArchiveHead, BackupHead, End, Head } from './content/metadata.ts';
export { type ContentReader, type ContentSummary, readContent } from './content/read-content.ts';
export {
  RestoreLineEncoder as RestoreLines,
  type RestoreTotals,
  type RowRange,
} from './content/restore-lines.ts';
export { ResumePoint as LineTail, rowKeyOf as keyOf } from './content/resume-point.ts';
export { LineChecker, type LineTotals, type ScannedRow, scanRow } from './content/row-scanner.ts';
export {
  type FileSummary,
  type SealedFile,
  type WriteOptions,
  writeArchive,
  writeBackup,
} from './content/write-file.ts';
export { generateKey, keyId, parseKey } from './envelope/key.ts';
export type { ByteSource } from './envelope/open-file.ts';
export { type ReadOptions, readStream } from './envelope/opener.ts';
export { type ReencryptedFile, reencryptFile } from './envelope/reencrypt.ts';
export type { ContentKind, FrameEntry, RowPosition } from './frames/frame.ts';
export { type FrameContent, readFrames } from './frames/read-frames.ts';
