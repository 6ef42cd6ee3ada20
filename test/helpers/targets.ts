import { constants, zstdCompressSync } from 'node:zlib';
import type { Target } from '../../src/core/features/files/target.ts';
import { ARCHIVE_HEADER } from '../../src/core/format/content/archive-frames.ts';
import { Sealer } from '../../src/core/format/envelope/sealer.ts';
import { writeArchive } from '../../src/core/format/index.ts';
import { archivePath } from '../../src/core/policy/names.ts';
import type { ArchiveRecord } from '../../src/core/ports/catalog.ts';
import type { Key } from '../../src/core/ports/key.ts';
import { FRACTAL_ID } from './fake-ports.ts';
import { MemoryStorage } from './memory-storage.ts';
import { archiveLine, blocksOf, HEAD, KEY } from './sealed.ts';
import { collect, inPieces } from './streams.ts';

export const FILE_NAME = `${FRACTAL_ID}-20260301-123456.bifract-archive`;
export const FILE_PATH = archivePath(FRACTAL_ID, FILE_NAME);

/** A sealed archive of the fake fractal. */
export async function sealedArchive(lines: Buffer[], key: Key = KEY): Promise<Buffer> {
  const head = { ...HEAD, fractal: { id: FRACTAL_ID, name: 'web-prod' } };
  return collect(writeArchive(blocksOf(Buffer.concat(lines)), { key, head }).bytes);
}

/** An archive as the server writes it: one zstd frame, no key mark, no trailer. */
export function serverArchive(lines: Buffer[]): Buffer {
  const content = Buffer.concat([ARCHIVE_HEADER, ...lines]);
  const sealer = new Sealer(KEY);
  // Without a key mark, the base is any 32 bytes.
  sealer.base.fill(7);
  sealer.push(zstdCompressSync(content, { params: { [constants.ZSTD_c_compressionLevel]: 1 } }));
  sealer.end();
  return sealer.take(0) as Buffer;
}

export function numberedLines(count: number): Buffer[] {
  return Array.from({ length: count }, (_, index) => archiveLine(index));
}

/** Stores bytes as a file and returns it as a target. */
export async function storedTarget(
  bytes: Buffer,
  given: { name?: string; record?: ArchiveRecord; storage?: MemoryStorage } = {},
): Promise<Target> {
  const { name = FILE_PATH, record = null, storage = new MemoryStorage() } = given;
  const object = await storage.put(name, inPieces(bytes, 65_536));
  return { label: name, storage, object, path: `memory/${name}`, record, record_unknown: null };
}

/** The record of a completed archive; `given` overrides. */
export function archiveRecord(given: Partial<ArchiveRecord> = {}): ArchiveRecord {
  return {
    id: 'aaaaaaaa-0000-4000-8000-000000000001',
    fractal_id: FRACTAL_ID,
    fractal_name: 'web-prod',
    filename: FILE_NAME,
    storage_type: 'disk',
    storage_path: FILE_PATH,
    size_bytes: 0,
    log_count: 0,
    time_range_start: null,
    time_range_end: null,
    status: 'completed',
    error_message: null,
    created_by: null,
    created_at: '2026-03-01T12:34:56Z',
    archive_type: 'adhoc',
    format_version: 1,
    archive_end_ts: null,
    checksum: null,
    group_id: null,
    period_label: null,
    ...given,
  };
}
