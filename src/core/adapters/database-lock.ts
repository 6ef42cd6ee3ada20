import type { Client } from 'pg';
import { BifractError } from '../errors.ts';

/** The advisory lock of a job that reads or replaces all of a database; "bifr" in ASCII. */
const LOCK = [0x62_69_66_72, 1];
const TAKE = 'SELECT pg_try_advisory_lock($1, $2) AS taken';
const HOLDER = `SELECT a.pid, date_trunc('second', a.backend_start) AS since
  FROM pg_locks l JOIN pg_stat_activity a USING (pid)
  WHERE l.locktype = 'advisory' AND l.classid = $1::int::oid AND l.objid = $2::int::oid AND l.granted
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

/** Takes the lock for as long as the connection lives. `BUSY` tells since when somebody else has it. */
export async function takeLock(client: Client): Promise<void> {
  const { rows } = await client.query<{ taken: boolean }>(TAKE, LOCK);
  if (rows[0]?.taken) return;
  const holder = (await client.query<{ pid: number; since: string }>(HOLDER, LOCK)).rows[0];
  const who = holder ? ` since ${holder.since} (session ${holder.pid})` : '';
  throw new BifractError('BUSY', `Another backup or restore of this database runs${who}`, {
    hint: 'Wait until it has ended, then try again.',
  });
}
