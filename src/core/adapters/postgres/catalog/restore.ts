import { BifractError } from '../../../contract/errors.ts';
import type { RestoreOutcome } from '../../../ports/catalog.ts';
import type { Session } from '../pool.ts';

/** Also sets a record to `restoring` again that the server reset during our job. */
export const UPDATE_RESTORE = `UPDATE archives SET restore_lines_sent = $2, status = 'restoring'
  WHERE id = $1 AND status IN ('completed', 'restoring')`;
export const UPDATE_RESTORE_LINES = 'UPDATE archives SET restore_lines_sent = $2 WHERE id = $1';

/**
 * Sets a completed archive to `restoring`, and the previous one back to `completed`. A unique index of the database
 * prevents a second active operation on the fractal.
 */
export async function setRestoring(
  session: Session,
  archive_id: string,
  previous: RestoreOutcome | undefined,
): Promise<void> {
  if (previous) await clearRestoring(session, previous);
  const [record] = await session.query<{ status: string }>(
    'SELECT status FROM archives WHERE id = $1 FOR UPDATE',
    [archive_id],
  );
  if (!record) throw new BifractError('NOT_FOUND', `The record of archive ${archive_id} is gone`);
  if (record.status !== 'completed') {
    throw new BifractError(
      'BUSY',
      `Archive ${archive_id} cannot be restored: its status is ${record.status}`,
      {
        hint: 'Wait until that has finished, then try again.',
      },
    );
  }
  await session.query(
    `UPDATE archives SET status = 'restoring', restore_lines_sent = 0, restore_error = NULL WHERE id = $1`,
    [archive_id],
  );
}

/** Sets the archive back to `completed` and stores the result. Keeps a status that was changed in the meantime. */
export async function clearRestoring(
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
