/**
 * Entry point of the file formats: reads and writes backups and archives. Streams only, no file access. The layout is
 * described in `docs/reference/format.md`. Layers, each importing only those before it:
 *
 * - `dump/`: pg_dump's custom format
 * - `envelope/`: the encrypted stream of chunks, with its trailer
 * - `frames/`: the zstd frames in that stream
 * - `content/`: what the frames hold: metadata, and the lines of an archive or the manifest and dump of a backup
 */
export { archiveBytes, archiveLines } from './content/archive-lines.ts';
export { type ArchiveRow, type MalformedLine, parseLine } from './content/archive-row.ts';
export { type BackupManifest, backupManifest, splitBackup } from './content/backup.ts';
export { describeFile, type FileDescription } from './content/describe-file.ts';
export type { ArchiveHead, HeadColumn } from './content/metadata.ts';
export { parseUntrustedJson } from './content/parse-json.ts';
export { type ContentReader, type ContentSummary, readContent } from './content/read-content.ts';
export {
  RestoreLineEncoder,
  type RestoreTotals,
  type RowRange,
} from './content/restore-lines.ts';
export { ResumePoint } from './content/resume-point.ts';
export { type DigestOptions, type DigestTotals, RowDigester } from './content/row-digester.ts';
export { LineChecker, type LineTotals, scanRow } from './content/row-scanner.ts';
export { type RowText, rowText } from './content/row-text.ts';
export {
  type FileSummary,
  type SealedFile,
  writeArchive,
  writeBackup,
} from './content/write-file.ts';
export { checkDump, type ExpectedContents, readDefinitions } from './dump/check-dump.ts';
export type { DumpNeeds } from './dump/dump-needs.ts';
export type { Definitions, DumpContents } from './dump/dump-reader.ts';
export { generateKey, keyId, parseKey } from './envelope/key.ts';
export type { ByteSource } from './envelope/open-file.ts';
export { readStream } from './envelope/opener.ts';
export { reencryptFile } from './envelope/reencrypt.ts';
export type { ContentKind, FrameEntry } from './frames/frame.ts';
export { readFrames } from './frames/read-frames.ts';
