import { BifractError } from '../../../contract/errors.ts';
import type { Session } from '../pool.ts';
import { lockGroup, updateGroupTotals } from './archives.ts';

/** Removes the record of an archive, and its group if it is then empty. */
export async function removeArchive(session: Session, archive_id: string): Promise<void> {
  const group = await lockGroup(session, archive_id);
  await session.query('DELETE FROM archives WHERE id = $1', [archive_id]);
  if (group === undefined) return;
  const kept = await session.query('SELECT 1 FROM archives WHERE group_id = $1 LIMIT 1', [group]);
  if (kept.length === 0) {
    await session.query('DELETE FROM archive_groups WHERE id = $1', [group]);
    return;
  }
  await session.query('UPDATE archive_groups SET archive_count = archive_count - 1 WHERE id = $1', [group]);
  await updateGroupTotals(session, group);
}

/** Locks the record until the transaction ends, so that no restore can start. False if there is none. */
export async function lockIdle(session: Session, archive_id: string): Promise<boolean> {
  await lockGroup(session, archive_id);
  const [record] = await session.query<{ status: string }>(
    'SELECT status FROM archives WHERE id = $1 FOR UPDATE',
    [archive_id],
  );
  if (!record) return false;
  if (record.status === 'in_progress' || record.status === 'restoring') {
    throw new BifractError(
      'BUSY',
      `The archive is being ${record.status === 'restoring' ? 'restored' : 'written'} according to its record`,
      { hint: 'Try again when that has finished.' },
    );
  }
  return true;
}

/** Removes an empty group. False if there is none. */
export async function removeGroup(session: Session, group_id: string): Promise<boolean> {
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
export async function writeLocation(
  session: Session,
  archive_id: string,
  { storage_type, storage_path }: { storage_type: 'disk' | 's3'; storage_path: string },
): Promise<void> {
  const [record] = await session.query<{ status: string }>(
    'SELECT status FROM archives WHERE id = $1 FOR UPDATE',
    [archive_id],
  );
  if (!record)
    throw new BifractError('NOT_FOUND', `The record of archive ${archive_id} is gone`, {
      hint: 'It was deleted in the meantime. Run `bifract list archives` to see what is left.',
    });
  if (record.status !== 'completed')
    throw new BifractError('BUSY', `The archive cannot be moved: its status is ${record.status}`, {
      hint: 'Try again when that has finished.',
    });
  await session.query('UPDATE archives SET storage_type = $2, storage_path = $3 WHERE id = $1', [
    archive_id,
    storage_type,
    storage_path,
  ]);
}
