import { BifractError } from '../../../contract/errors.ts';
import type {
  AdoptedArchive,
  ArchiveResult,
  ArchiveSchedule,
  NewArchive,
  NewFractal,
  RestoreOutcome,
} from '../../../ports/catalog.ts';
import { withoutZone } from '../driver.ts';
import type { Session } from '../pool.ts';

interface Created {
  group_id: string;
  archive_id: string;
}

/** Inserts an archive, and its group if it has none. Leaves the same columns to their defaults as the server does. */
export async function insertArchive(session: Session, archive: NewArchive): Promise<Created> {
  const group_id = archive.group_id ?? (await insertGroup(session, archive));
  const archive_id = await insert(
    session,
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
  if (archive.group_id !== undefined) await resumeGroup(session, archive.group_id);
  return { group_id, archive_id };
}

function insertGroup(
  session: Session,
  { fractal_id, archive_type, split = 'none', archive_count = 1 }: NewArchive,
): Promise<string> {
  return insert(
    session,
    `INSERT INTO archive_groups (fractal_id, split_granularity, status, total_log_count, total_size_bytes,
       archive_count, completed_count, archive_type, created_by, created_at)
     VALUES ($1, $3, 'in_progress', 0, 0, $4, 0, $2, NULL, now() AT TIME ZONE 'UTC') RETURNING id`,
    [fractal_id, archive_type, split, archive_count],
  );
}

/** Sets a group that an interrupted job left, or that the server set to failed, back to `in_progress`. */
async function resumeGroup(session: Session, group_id: string): Promise<void> {
  await session.query(
    `UPDATE archive_groups SET status = 'in_progress', error_message = NULL
     WHERE id = $1 AND status <> 'in_progress'`,
    [group_id],
  );
}

/** Reopens a failed archive and its group. */
export async function reopenArchive(session: Session, archive_id: string): Promise<void> {
  const { status, group_id } = await lockRecord(session, archive_id);
  if (status !== 'failed')
    throw new BifractError('BUSY', `The archive cannot be reopened: its status is ${status}`);
  await session.query(
    `UPDATE archives SET status = 'in_progress', error_message = NULL, size_bytes = 0, log_count = 0 WHERE id = $1`,
    [archive_id],
  );
  if (group_id !== null) await resumeGroup(session, group_id);
}

/** Stores the result of a completed file. */
export async function completeArchive(
  session: Session,
  archive_id: string,
  result: ArchiveResult,
): Promise<void> {
  await finishArchive(
    session,
    archive_id,
    `UPDATE archives SET status = 'completed', error_message = NULL, size_bytes = $2, log_count = $3,
       time_range_start = $4::timestamp, time_range_end = $5::timestamp, checksum = $6
     WHERE id = $1 RETURNING id`,
    [
      result.size_bytes,
      result.log_count,
      withoutZone(result.time_range_start),
      withoutZone(result.time_range_end),
      result.checksum,
    ],
  );
}

/** Stores why there is no file. */
export async function failArchive(session: Session, archive_id: string, message: string): Promise<void> {
  // Keep the size and count of a record that was completed before: they verify the file if it turns up again.
  await finishArchive(
    session,
    archive_id,
    `UPDATE archives SET status = 'failed', error_message = $2,
       size_bytes = CASE WHEN checksum IS NULL THEN 0 ELSE size_bytes END,
       log_count = CASE WHEN checksum IS NULL THEN 0 ELSE log_count END
     WHERE id = $1 RETURNING id`,
    [message],
  );
}

async function finishArchive(
  session: Session,
  archive_id: string,
  update: string,
  values: unknown[],
): Promise<void> {
  const group_id = await lockGroup(session, archive_id);
  const updated = await session.query(update, [archive_id, ...values]);
  if (updated.length === 0) throw recordGone(archive_id);
  if (group_id !== undefined) await updateGroupTotals(session, group_id);
}

/** Closes a group to further archives. */
export async function closeGroup(
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

/** Inserts a completed group and record for an existing file. */
export async function insertAdopted(
  session: Session,
  location: 'server' | 'console',
  archive: AdoptedArchive,
): Promise<Created> {
  await requireUnrecorded(session, location, archive);
  const group_id = await insert(
    session,
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
  const archive_id = await insert(
    session,
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
      group_id,
      archive.period_label,
    ],
  );
  return { group_id, archive_id };
}

/** Locks the fractal until the transaction ends, so that two processes cannot adopt the same file at once. */
async function requireUnrecorded(
  session: Session,
  location: 'server' | 'console',
  { fractal_id, filename }: AdoptedArchive,
): Promise<void> {
  const [table, key] = location === 'console' ? ['fractal_settings', 'fractal_id'] : ['fractals', 'id'];
  const found = await session.query(`SELECT 1 FROM ${table} WHERE ${key} = $1 FOR UPDATE`, [fractal_id]);
  if (found.length === 0) throw noFractal(fractal_id);
  const [record] = await session.query<{ id: string }>(
    'SELECT id FROM archives WHERE fractal_id = $1 AND filename = $2',
    [fractal_id, filename],
  );
  if (record)
    throw new BifractError('EXISTS', `${filename} already has a record: ${record.id}`, {
      hint: 'Run `bifract list archives` to see it.',
    });
}

/** Stores the name of a fractal with our own records, which outlive it. `NOT_FOUND` if it does not exist. */
export async function rememberFractal(session: Session, fractal_id: string): Promise<void> {
  const found = await session.query(
    `INSERT INTO fractal_settings (fractal_id, name) SELECT id, name FROM fractals WHERE id = $1
     ON CONFLICT (fractal_id) DO UPDATE SET name = excluded.name RETURNING fractal_id`,
    [fractal_id],
  );
  if (found.length === 0) throw noFractal(fractal_id);
}

/** Stores the name of a fractal that may be gone; its id if the name is unknown. */
export async function rememberName(
  session: Session,
  { fractal_id, fractal_name }: Pick<AdoptedArchive, 'fractal_id' | 'fractal_name'>,
): Promise<void> {
  await session.query(
    `INSERT INTO fractal_settings AS s (fractal_id, name)
     VALUES ($1, coalesce((SELECT name FROM fractals WHERE id = $1), $2, $1::text))
     ON CONFLICT (fractal_id) DO UPDATE SET name = excluded.name WHERE s.name = s.fractal_id::text`,
    [fractal_id, fractal_name],
  );
}

/** Sets when a fractal is archived. */
export async function setSchedule(
  session: Session,
  location: 'server' | 'console',
  fractal_id: string,
  { archive_schedule, max_archives, archive_split }: ArchiveSchedule,
): Promise<void> {
  if (location === 'console') await rememberFractal(session, fractal_id);
  const [table, key] = location === 'console' ? ['fractal_settings', 'fractal_id'] : ['fractals', 'id'];
  const updated = await session.query(
    `UPDATE ${table} SET archive_schedule = $2, max_archives = $3, archive_split = $4 WHERE ${key} = $1 RETURNING 1`,
    [fractal_id, archive_schedule, max_archives, archive_split],
  );
  if (updated.length === 0) throw noFractal(fractal_id);
}

/** Inserts a fractal with a given id that keeps rows forever. All other settings are the server's defaults. */
export async function insertFractal(
  session: Session,
  { id, name, restored_from }: NewFractal,
  columns: ReadonlySet<string>,
): Promise<void> {
  const origin: Record<string, string | null> = {
    restored_from_fractal_id: restored_from?.fractal_id ?? null,
    restored_from_ts: restored_from?.from ?? null,
    restored_to_ts: restored_from?.to ?? null,
  };
  const names = Object.keys(origin).filter((column) => columns.has(column));
  const made = await session.query(
    `INSERT INTO fractals (id, name, created_at, updated_at, retention_days${names.map((column) => `, ${column}`).join('')})
     VALUES ($1, $2, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC', NULL${names.map((_, at) => `, $${at + 3}`).join('')})
     ON CONFLICT DO NOTHING RETURNING id`,
    [id, name, ...names.map((column) => origin[column] ?? null)],
  );
  if (made.length > 0) return;
  throw new BifractError('EXISTS', `A fractal with the ID ${id} or the name "${name}" already exists`, {
    hint: 'Run `bifract list fractals` to see all fractals.',
  });
}

/**
 * Removes a record, then the file. False if there is no record; the record stays locked until the transaction ends, so
 * that no restore can start.
 */
export async function deleteArchive(
  session: Session,
  archive_id: string,
  removeFile: () => Promise<void>,
): Promise<boolean> {
  await lockGroup(session, archive_id);
  const record = await findRecord(session, archive_id);
  if (!record) return false;
  if (record.status === 'in_progress' || record.status === 'restoring') {
    throw new BifractError(
      'BUSY',
      `The archive is being ${record.status === 'restoring' ? 'restored' : 'written'} according to its record`,
      { hint: 'Try again when that has finished.' },
    );
  }
  // Remove the file last: earlier failures are rolled back, and only the commit comes after it.
  await removeRecord(session, archive_id);
  await removeFile();
  return true;
}

/** Removes the record of an archive, and its group if it is then empty. */
export async function removeRecord(session: Session, archive_id: string): Promise<void> {
  const group_id = await lockGroup(session, archive_id);
  await session.query('DELETE FROM archives WHERE id = $1', [archive_id]);
  if (group_id === undefined) return;
  const kept = await session.query('SELECT 1 FROM archives WHERE group_id = $1 LIMIT 1', [group_id]);
  if (kept.length === 0) {
    await session.query('DELETE FROM archive_groups WHERE id = $1', [group_id]);
    return;
  }
  await session.query('UPDATE archive_groups SET archive_count = archive_count - 1 WHERE id = $1', [
    group_id,
  ]);
  await updateGroupTotals(session, group_id);
}

/** Removes an empty group. False if there is none. */
export async function deleteGroup(session: Session, group_id: string): Promise<boolean> {
  const found = await session.query('SELECT 1 FROM archive_groups WHERE id = $1 FOR UPDATE', [group_id]);
  if (found.length === 0) return false;
  const archives = await session.query('SELECT 1 FROM archives WHERE group_id = $1 LIMIT 1', [group_id]);
  if (archives.length > 0)
    throw new BifractError('BUSY', 'The group is no longer empty', {
      hint: 'Start over to plan the deletion again.',
    });
  await session.query('DELETE FROM archive_groups WHERE id = $1', [group_id]);
  return true;
}

/** Sets the file location of a completed archive. */
export async function moveArchive(
  session: Session,
  archive_id: string,
  { storage_type, storage_path }: { storage_type: 'disk' | 's3'; storage_path: string },
): Promise<void> {
  const { status } = await lockRecord(session, archive_id);
  if (status !== 'completed')
    throw new BifractError('BUSY', `The archive cannot be moved: its status is ${status}`, {
      hint: 'Try again when that has finished.',
    });
  await session.query('UPDATE archives SET storage_type = $2, storage_path = $3 WHERE id = $1', [
    archive_id,
    storage_type,
    storage_path,
  ]);
}

/**
 * Sets a completed archive to `restoring`, and the previous one back to `completed`. A unique index of the database
 * prevents a second active operation on the fractal.
 */
export async function beginRestore(
  session: Session,
  archive_id: string,
  previous: RestoreOutcome | undefined,
): Promise<void> {
  if (previous) await endRestore(session, previous);
  const { status } = await lockRecord(session, archive_id);
  if (status !== 'completed') {
    throw new BifractError('BUSY', `Archive ${archive_id} cannot be restored: its status is ${status}`, {
      hint: 'Wait until that has finished, then try again.',
    });
  }
  await session.query(
    `UPDATE archives SET status = 'restoring', restore_lines_sent = 0, restore_error = NULL WHERE id = $1`,
    [archive_id],
  );
}

/** Sets the archive back to `completed` and stores the result. Keeps a status that was changed in the meantime. */
export async function endRestore(
  session: Session,
  { archive_id, lines, error }: RestoreOutcome,
): Promise<void> {
  await session.query(
    `UPDATE archives SET restore_lines_sent = coalesce($2, restore_lines_sent), restore_error = $3,
       status = CASE WHEN status = 'restoring' THEN 'completed' ELSE status END
     WHERE id = $1`,
    [archive_id, lines, error],
  );
}

/** Locks the group of an archive until the transaction ends, so that its totals are not updated concurrently. */
async function lockGroup(session: Session, archive_id: string): Promise<string | undefined> {
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
async function updateGroupTotals(session: Session, group_id: string): Promise<void> {
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

interface LockedRecord {
  status: string;
  group_id: string | null;
}

/** Locks the record until the transaction ends. `NOT_FOUND` if it is gone. */
async function lockRecord(session: Session, archive_id: string): Promise<LockedRecord> {
  const record = await findRecord(session, archive_id);
  if (!record) throw recordGone(archive_id);
  return record;
}

async function findRecord(session: Session, archive_id: string): Promise<LockedRecord | undefined> {
  const select = 'SELECT status, group_id FROM archives WHERE id = $1 FOR UPDATE';
  return (await session.query<LockedRecord>(select, [archive_id]))[0];
}

/** Runs an `INSERT … RETURNING id`. */
async function insert(session: Session, sql: string, values: unknown[]): Promise<string> {
  const [row] = await session.query<{ id: string }>(sql, values);
  if (!row) throw new BifractError('INTERNAL', 'PostgreSQL returned no id');
  return row.id;
}

export function recordGone(archive_id: string): BifractError {
  return new BifractError('NOT_FOUND', `The record of archive ${archive_id} is gone`, {
    hint: 'It was deleted in the meantime. Run `bifract list archives` to see what is left.',
  });
}

export function noFractal(fractal_id: string): BifractError {
  return new BifractError('NOT_FOUND', `Fractal ${fractal_id} does not exist`, {
    hint: 'Run `bifract list fractals` to see all fractals.',
  });
}
