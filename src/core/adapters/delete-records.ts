import { BifractError } from '../errors.ts';
import { lockGroup, sumUpGroup } from './archive-records.ts';
import type { Session } from './postgres.ts';

/** Removes the record of an archive, and its group when that held nothing else. */
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
  await sumUpGroup(session, group);
}

/** Holds the record until the transaction ends, so that nobody begins a restore of what goes. False where there is none. */
export async function holdIdle(session: Session, archive_id: string): Promise<boolean> {
  await lockGroup(session, archive_id);
  const [record] = await session.query<{ status: string }>(
    'SELECT status FROM archives WHERE id = $1 FOR UPDATE',
    [archive_id],
  );
  if (!record) return false;
  if (record.status === 'in_progress' || record.status === 'restoring') {
    throw new BifractError(
      'BUSY',
      `The archive is being ${record.status === 'restoring' ? 'restored' : 'written'}, as its record says`,
      { hint: 'Try again when that has ended.' },
    );
  }
  return true;
}

/** Removes a group that holds no archive. False where there is none. */
export async function removeGroup(session: Session, group_id: string): Promise<boolean> {
  const held = await session.query('SELECT 1 FROM archive_groups WHERE id = $1 FOR UPDATE', [group_id]);
  if (held.length === 0) return false;
  const archives = await session.query('SELECT 1 FROM archives WHERE group_id = $1 LIMIT 1', [group_id]);
  if (archives.length > 0)
    throw new BifractError('BUSY', 'The group has archives again', { hint: 'Plan it again.' });
  await session.query('DELETE FROM archive_groups WHERE id = $1', [group_id]);
  return true;
}

/** Says where the file of a completed archive is. */
export async function writePlace(
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
      hint: 'Somebody deleted it meanwhile: see `bifract list archives`.',
    });
  if (record.status !== 'completed')
    throw new BifractError('BUSY', `The record of the archive says: ${record.status}`, {
      hint: 'Try again when that has ended.',
    });
  await session.query('UPDATE archives SET storage_type = $2, storage_path = $3 WHERE id = $1', [
    archive_id,
    storage_type,
    storage_path,
  ]);
}
