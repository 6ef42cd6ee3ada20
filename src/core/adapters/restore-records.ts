import { BifractError } from '../errors.ts';
import type { RestoreMark } from '../ports/catalog.ts';
import type { Session } from './postgres.ts';

/** What the server set back when it started, while our job ran on, is being restored again. */
export const NOTE_RESTORE = `UPDATE archives SET restore_lines_sent = $2, status = 'restoring'
  WHERE id = $1 AND status IN ('completed', 'restoring')`;
export const NOTE_RESTORE_LINES = 'UPDATE archives SET restore_lines_sent = $2 WHERE id = $1';

/**
 * Marks a completed archive as being restored, and takes that mark from the one before it in the same step. The
 * database itself refuses a second active operation on the fractal.
 */
export async function markRestoring(
  session: Session,
  archive_id: string,
  before: RestoreMark | undefined,
): Promise<void> {
  if (before) await unmarkRestoring(session, before);
  const [record] = await session.query<{ status: string }>(
    'SELECT status FROM archives WHERE id = $1 FOR UPDATE',
    [archive_id],
  );
  if (!record) throw new BifractError('NOT_FOUND', `The record of archive ${archive_id} is gone`);
  if (record.status !== 'completed') {
    throw new BifractError('BUSY', `The record of archive ${archive_id} says: ${record.status}`, {
      hint: 'Wait until that has ended, then try again.',
    });
  }
  await session.query(
    `UPDATE archives SET status = 'restoring', restore_lines_sent = 0, restore_error = NULL WHERE id = $1`,
    [archive_id],
  );
}

/** The archive is completed again, with what its restore came to. One that somebody else has changed meanwhile keeps its status. */
export async function unmarkRestoring(
  session: Session,
  { archive_id, lines, error }: RestoreMark,
): Promise<void> {
  await session.query(
    `UPDATE archives SET restore_lines_sent = coalesce($2, restore_lines_sent), restore_error = $3,
       status = CASE WHEN status = 'restoring' THEN 'completed' ELSE status END
     WHERE id = $1`,
    [archive_id, lines, error],
  );
}
