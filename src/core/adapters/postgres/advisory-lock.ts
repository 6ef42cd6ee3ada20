import type { Client } from 'pg';
import { BifractError } from '../../contract/errors.ts';

/** Advisory lock of jobs that read or replace a whole database; "bifr" in ASCII. */
const LOCK_KEY = [0x62_69_66_72, 1];
const TRY_LOCK = 'SELECT pg_try_advisory_lock($1, $2) AS taken';
const HOLDER = `SELECT a.pid, date_trunc('second', a.backend_start) AS since
  FROM pg_locks l JOIN pg_stat_activity a USING (pid)
  WHERE l.locktype = 'advisory' AND l.classid = $1::int::oid AND l.objid = $2::int::oid AND l.granted
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

/** Takes the lock until the connection ends. `BUSY` names the session that holds it, and since when. */
export async function takeLock(client: Client): Promise<void> {
  const { rows } = await client.query<{ taken: boolean }>(TRY_LOCK, LOCK_KEY);
  if (rows[0]?.taken) return;
  const holder = (await client.query<{ pid: number; since: string }>(HOLDER, LOCK_KEY)).rows[0];
  const running = holder ? `has been running since ${holder.since} (session ${holder.pid})` : 'is running';
  throw new BifractError('BUSY', `Another backup or restore of this database ${running}`, {
    hint: 'Wait until it has finished, then try again.',
  });
}
