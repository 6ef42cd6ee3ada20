import { createHash } from 'node:crypto';
import { archiveName, archivePath } from '../../src/core/policy/names.ts';
import type { ArchiveRecord } from '../../src/core/ports/catalog.ts';
import type { Storage } from '../../src/core/ports/storage.ts';
import type { FakeCatalog } from './fake-ports.ts';

/** Size of their files. */
export const SIZE = 3;
/** They cannot be decrypted: only their checksum shows that they are those of their records. */
const CHECKSUM = createHash('sha256').update(Buffer.alloc(SIZE)).digest('hex');

/** Adds an unsplit scheduled archive, made at two o'clock on `day` (`03-01`), with its file unless `file` is false. */
export async function addScheduledArchive(
  { catalog, archives }: { catalog: FakeCatalog; archives: Storage },
  fractal_id: string,
  { day, record = {}, file = true }: { day: string; record?: Partial<ArchiveRecord>; file?: boolean },
): Promise<ArchiveRecord> {
  const created_at = `2026-${day}T02:00:00Z`;
  const filename = archiveName(fractal_id, new Date(created_at));
  const archive: ArchiveRecord = {
    id: `00000000-0000-4000-8000-${String(catalog.records.size).padStart(12, '0')}`,
    fractal_id,
    fractal_name: 'web-prod',
    filename,
    storage_type: 'disk',
    storage_path: archivePath(fractal_id, filename),
    size_bytes: SIZE,
    log_count: 10,
    time_range_start: '2026-01-01T00:00:00Z',
    time_range_end: created_at,
    status: 'completed',
    error_message: null,
    created_by: null,
    created_at,
    archive_type: 'scheduled',
    format_version: 1,
    archive_end_ts: created_at,
    checksum: CHECKSUM,
    group_id: null,
    period_label: null,
    ...record,
  };
  catalog.records.set(archive.id, archive);
  if (file) await archives.put(archive.storage_path, content());
  return archive;
}

async function* content() {
  yield Buffer.alloc(SIZE);
}
