import { BifractError } from '../errors.ts';
import type { AdoptedArchive } from '../ports/catalog.ts';
import type { Session } from './postgres.ts';
import { withoutZone } from './postgres-types.ts';

/** Makes group and record of a file that is there, both completed. */
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

/** Holds the fractal until the transaction ends, so that two who adopt one file do it one after the other. */
async function mustBeFree(session: Session, { fractal_id, filename }: AdoptedArchive): Promise<void> {
  const found = await session.query('SELECT 1 FROM fractals WHERE id = $1 FOR UPDATE', [fractal_id]);
  if (found.length === 0)
    throw new BifractError('NOT_FOUND', `There is no fractal ${fractal_id}`, {
      hint: 'See `bifract list fractals`.',
    });
  const [record] = await session.query<{ id: string }>(
    'SELECT id FROM archives WHERE fractal_id = $1 AND filename = $2',
    [fractal_id, filename],
  );
  if (record)
    throw new BifractError('EXISTS', `${filename} has a record already: ${record.id}`, {
      hint: 'See `bifract list archives`.',
    });
}

/** Makes a fractal with an id of old; all its settings are the server's defaults. */
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
  throw new BifractError('EXISTS', `There is a fractal with the id ${id} or the name "${name}" already`, {
    hint: 'See `bifract list fractals`.',
  });
}
