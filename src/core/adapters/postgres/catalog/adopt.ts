import { BifractError } from '../../../contract/errors.ts';
import type { AdoptedArchive } from '../../../ports/catalog.ts';
import type { Session } from '../pool.ts';
import { withoutZone } from '../types.ts';

/** Inserts a completed group and record for an existing file. */
export async function insertAdopted(
  session: Session,
  archive: AdoptedArchive,
): Promise<{ group_id: string; archive_id: string }> {
  await mustBeFree(session, archive);
  const [group] = await session.query<{ id: string }>(
    `INSERT INTO archive_groups (fractal_id, split_granularity, status, total_log_count, total_size_bytes,
       archive_count, completed_count, archive_type, created_by, created_at)
     VALUES ($1, $2, 'completed', $3, $4, 1, 1, $5, NULL, $6::timestamp) RETURNING id`,
    [
      archive.fractal_id,
      archive.split,
      archive.log_count,
      archive.size_bytes,
      archive.archive_type,
      withoutZone(archive.created_at),
    ],
  );
  const [record] = await session.query<{ id: string }>(
    `INSERT INTO archives (fractal_id, filename, storage_type, storage_path, size_bytes, log_count,
       time_range_start, time_range_end, status, created_by, created_at, archive_type, format_version,
       archive_end_ts, checksum, group_id, period_label)
     VALUES ($1, $2, $3, $4, $5, $6, $7::timestamp, $8::timestamp, 'completed', NULL, $9::timestamp, $10, 1,
       $11::timestamp, $12, $13, $14)
     RETURNING id`,
    [
      archive.fractal_id,
      archive.filename,
      archive.storage_type,
      archive.storage_path,
      archive.size_bytes,
      archive.log_count,
      withoutZone(archive.time_range_start),
      withoutZone(archive.time_range_end),
      withoutZone(archive.created_at),
      archive.archive_type,
      withoutZone(archive.archive_end_ts),
      archive.checksum,
      group?.id,
      archive.period_label,
    ],
  );
  if (!group || !record) throw new BifractError('INTERNAL', 'PostgreSQL returned no id');
  return { group_id: group.id, archive_id: record.id };
}

/** Locks the fractal until the transaction ends, so that two processes cannot adopt the same file at once. */
async function mustBeFree(session: Session, { fractal_id, filename }: AdoptedArchive): Promise<void> {
  const found = await session.query('SELECT 1 FROM fractals WHERE id = $1 FOR UPDATE', [fractal_id]);
  if (found.length === 0)
    throw new BifractError('NOT_FOUND', `Fractal ${fractal_id} does not exist`, {
      hint: 'Run `bifract list fractals` to see all fractals.',
    });
  const [record] = await session.query<{ id: string }>(
    'SELECT id FROM archives WHERE fractal_id = $1 AND filename = $2',
    [fractal_id, filename],
  );
  if (record)
    throw new BifractError('EXISTS', `${filename} already has a record: ${record.id}`, {
      hint: 'Run `bifract list archives` to see it.',
    });
}

/** Inserts a fractal with a given id. All its settings are the server's defaults. */
export async function insertFractal(
  session: Session,
  { id, name }: { id: string; name: string },
): Promise<void> {
  const made = await session.query(
    `INSERT INTO fractals (id, name, created_at, updated_at)
     VALUES ($1, $2, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC') ON CONFLICT DO NOTHING RETURNING id`,
    [id, name],
  );
  if (made.length > 0) return;
  throw new BifractError('EXISTS', `A fractal with the ID ${id} or the name "${name}" already exists`, {
    hint: 'Run `bifract list fractals` to see all fractals.',
  });
}
