import { BifractError } from '../../../contract/errors.ts';
import type { ArchiveResult, NewArchive } from '../../../ports/catalog.ts';
import { sqlState } from '../errors.ts';
import type { Session } from '../pool.ts';
import { withoutZone } from '../types.ts';

const UNIQUE = '23505';
const FOREIGN_KEY = '23503';

/** Inserts an archive, and its group if it has none. Leaves the same columns to their defaults as the server does. */
export async function insertArchive(
  session: Session,
  archive: NewArchive,
): Promise<{ group_id: string; archive_id: string }> {
  const group_id = archive.group_id ?? (await insertGroup(session, archive));
  const [record] = await session.query<{ id: string }>(
    `INSERT INTO archives (id, fractal_id, filename, storage_type, storage_path, size_bytes, log_count, status,
       created_by, created_at, archive_type, format_version, archive_end_ts, group_id, period_label)
     VALUES (coalesce($8, gen_random_uuid()), $1, $2, $3, $4, 0, 0, 'in_progress', NULL, now() AT TIME ZONE 'UTC',
       $5, 1, $6::timestamp, $7, $9)
     RETURNING id`,
    [
      archive.fractal_id,
      archive.filename,
      archive.storage_type,
      archive.storage_path,
      archive.archive_type,
      withoutZone(archive.archive_end_ts),
      group_id,
      archive.id ?? null,
      archive.period_label ?? null,
    ],
  );
  if (!record) throw new BifractError('INTERNAL', 'PostgreSQL returned no id');
  if (archive.group_id !== undefined) await resumeGroup(session, archive.group_id);
  return { group_id, archive_id: record.id };
}

async function insertGroup(
  session: Session,
  { fractal_id, archive_type, split = 'none', archive_count = 1 }: NewArchive,
): Promise<string> {
  const [group] = await session.query<{ id: string }>(
    `INSERT INTO archive_groups (fractal_id, split_granularity, status, total_log_count, total_size_bytes,
       archive_count, completed_count, archive_type, created_by, created_at)
     VALUES ($1, $3, 'in_progress', 0, 0, $4, 0, $2, NULL, now() AT TIME ZONE 'UTC') RETURNING id`,
    [fractal_id, archive_type, split, archive_count],
  );
  if (!group) throw new BifractError('INTERNAL', 'PostgreSQL returned no id');
  return group.id;
}

/** Sets a group that an interrupted job left, or that the server set to failed, back to `in_progress`. */
async function resumeGroup(session: Session, group_id: string): Promise<void> {
  await session.query(
    `UPDATE archive_groups SET status = 'in_progress', error_message = NULL
     WHERE id = $1 AND status <> 'in_progress'`,
    [group_id],
  );
}

/** Reopens a failed archive. False if the record is gone; throws `BUSY` if it has not failed. */
export async function writeReopened(session: Session, id: string): Promise<boolean> {
  const [record] = await session.query<{ status: string; group_id: string | null }>(
    'SELECT status, group_id FROM archives WHERE id = $1 FOR UPDATE',
    [id],
  );
  if (!record) return false;
  if (record.status !== 'failed')
    throw new BifractError('BUSY', `The archive cannot be reopened: its status is ${record.status}`);
  await session.query(
    `UPDATE archives SET status = 'in_progress', error_message = NULL, size_bytes = 0, log_count = 0 WHERE id = $1`,
    [id],
  );
  if (record.group_id !== null) await resumeGroup(session, record.group_id);
  return true;
}

/** Closes a group to further archives. */
export async function writeClosed(
  session: Session,
  group_id: string,
  { missing, message }: { missing: number | null; message: string | null },
): Promise<void> {
  const [group] = await session.query<{ archive_count: number }>(
    'SELECT archive_count FROM archive_groups WHERE id = $1 FOR UPDATE',
    [group_id],
  );
  const [existing] = await session.query<{ count: number }>(
    'SELECT count(*) AS count FROM archives WHERE group_id = $1',
    [group_id],
  );
  if (!group || !existing) return;
  const count = missing === null ? Math.max(existing.count, group.archive_count) : existing.count + missing;
  if (count === 0) {
    await session.query('DELETE FROM archive_groups WHERE id = $1', [group_id]);
    return;
  }
  // A group that is not in progress expects no more archives, so its status follows from those it has.
  await session.query(`UPDATE archive_groups SET archive_count = $2, status = 'failed' WHERE id = $1`, [
    group_id,
    count,
  ]);
  await updateGroupTotals(session, group_id);
  await session.query(
    `UPDATE archive_groups SET error_message = coalesce(error_message, $2) WHERE id = $1 AND status <> 'completed'`,
    [group_id, message],
  );
}

/** Whether the statement failed because the fractal has an active operation. */
export function isBusy(error: unknown): boolean {
  return sqlState(causeOf(error)) === UNIQUE;
}

/** Whether the statement failed because the fractal does not exist. */
export function isMissingFractal(error: unknown): boolean {
  return sqlState(causeOf(error)) === FOREIGN_KEY;
}

function causeOf(error: unknown): unknown {
  return error instanceof BifractError ? error.cause : error;
}

/** The message for an active operation on a fractal. */
export async function describeActive(session: Session, fractal_id: string): Promise<string> {
  const [active] = await session.query<{
    name: string;
    status: string;
    filename: string;
    created_at: string;
  }>(
    `SELECT f.name, a.status, a.filename, date_trunc('second', a.created_at) AS created_at FROM archives a JOIN fractals f ON f.id = a.fractal_id
     WHERE a.fractal_id = $1 AND a.status IN ('in_progress', 'restoring')`,
    [fractal_id],
  );
  if (!active) return `Fractal ${fractal_id} has an active operation`;
  const { name, status, filename, created_at } = active;
  if (status === 'restoring') return `Fractal ${name} is busy: ${filename} is being restored`;
  return `Fractal ${name} has been archiving since ${created_at} (${filename})`;
}

/** Stores the result of a completed file. False if the record is gone. */
export async function writeCompleted(session: Session, id: string, result: ArchiveResult): Promise<boolean> {
  const rows = await session.query(
    `UPDATE archives SET status = 'completed', error_message = NULL, size_bytes = $2, log_count = $3,
       time_range_start = $4::timestamp, time_range_end = $5::timestamp, checksum = $6
     WHERE id = $1 RETURNING id`,
    [
      id,
      result.size_bytes,
      result.log_count,
      withoutZone(result.time_range_start),
      withoutZone(result.time_range_end),
      result.checksum,
    ],
  );
  return rows.length > 0;
}

/** Stores why there is no file. False if the record is gone. */
export async function writeFailed(session: Session, id: string, message: string): Promise<boolean> {
  // Keep the size and count of a record that was completed before: they verify the file if it turns up again.
  const rows = await session.query(
    `UPDATE archives SET status = 'failed', error_message = $2,
       size_bytes = CASE WHEN checksum IS NULL THEN 0 ELSE size_bytes END,
       log_count = CASE WHEN checksum IS NULL THEN 0 ELSE log_count END
     WHERE id = $1 RETURNING id`,
    [id, message],
  );
  return rows.length > 0;
}

/** Locks the group of an archive until the transaction ends, so that its totals are not updated concurrently. */
export async function lockGroup(session: Session, archive_id: string): Promise<string | undefined> {
  const [group] = await session.query<{ id: string }>(
    `SELECT id FROM archive_groups WHERE id = (SELECT group_id FROM archives WHERE id = $1) FOR UPDATE`,
    [archive_id],
  );
  return group?.id;
}

/**
 * Updates status and totals of a group from its archives. An archive that is being restored counts as completed. A group
 * in progress waits for all the archives it expects; a closed one does not.
 */
export async function updateGroupTotals(session: Session, group_id: string): Promise<void> {
  await session.query(
    `UPDATE archive_groups g SET
       total_log_count = s.rows, total_size_bytes = s.bytes, completed_count = s.done,
       error_message = s.reason,
       status = CASE
         WHEN s.active > 0 OR (g.status = 'in_progress' AND s.done + s.failed < g.archive_count) THEN 'in_progress'
         WHEN s.failed = 0 AND s.done >= g.archive_count THEN 'completed'
         WHEN s.done = 0 THEN 'failed'
         ELSE 'partial' END
     FROM (SELECT
         count(*) FILTER (WHERE status = 'in_progress') AS active,
         count(*) FILTER (WHERE status = 'failed') AS failed,
         count(*) FILTER (WHERE status IN ('completed', 'restoring')) AS done,
         coalesce(sum(log_count) FILTER (WHERE status IN ('completed', 'restoring')), 0) AS rows,
         coalesce(sum(size_bytes) FILTER (WHERE status IN ('completed', 'restoring')), 0) AS bytes,
         max(error_message) FILTER (WHERE status = 'failed') AS reason
       FROM archives WHERE group_id = $1) s
     WHERE g.id = $1`,
    [group_id],
  );
}
