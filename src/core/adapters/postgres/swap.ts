import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from 'pg';
import { BifractError } from '../../contract/errors.ts';
import type { DatabaseSession, DatabaseSwap } from '../../ports/database-server.ts';
import { sqlState } from './errors.ts';

const OBJECT_IN_USE = '55006';
const LOCK_TIMEOUT = '10s';
const POLL_MS = 50;
const OWN_IDLE = `application_name = 'bifract-console' AND state = 'idle'`;
const SESSIONS = `SELECT pid, coalesce(usename, '') AS user, coalesce(application_name, '') AS application,
    host(client_addr) AS client, coalesce(state, 'unknown') AS state, backend_start AS since
  FROM pg_stat_activity
  WHERE datname = $1 AND pid <> pg_backend_pid() AND backend_type NOT IN ('autovacuum worker', 'parallel worker')
    AND NOT (${OWN_IDLE}) ORDER BY backend_start, pid`;
const END = `SELECT pid, (${OWN_IDLE}) AS own, pg_terminate_backend(pid) AS ended FROM pg_stat_activity
  WHERE datname = $1 AND pid <> pg_backend_pid() AND ($2 OR (${OWN_IDLE}))
    AND backend_type NOT IN ('autovacuum worker', 'parallel worker')`;

/** Sessions connected to a database, except idle ones of this program, which reconnects on its own. */
export async function sessionsOn(client: Client, database: string): Promise<DatabaseSession[]> {
  return (await client.query<DatabaseSession>(SESSIONS, [database])).rows;
}

/**
 * Renames `live` to `old` and `fresh` to `live` in one transaction of `client`. The first rename locks the database
 * against new connections, then waits for existing ones, which `other` ends in the meantime.
 */
export async function swapDatabases(client: Client, other: Client, swap: DatabaseSwap): Promise<number> {
  const [live, fresh, old] = [swap.live, swap.fresh, swap.old].map((name) => client.escapeIdentifier(name));
  if (!swap.end_sessions) await requireNoSessions(other, swap.live);
  await client.query('BEGIN');
  try {
    await client.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
    const renamed = client.query(`ALTER DATABASE ${live} RENAME TO ${old}`);
    const ended = await endSessions(other, swap, renamed);
    await client.query(`ALTER DATABASE ${fresh} RENAME TO ${live}`);
    await client.query('COMMIT');
    return ended;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    if (sqlState(error) !== OBJECT_IN_USE) throw error;
    await requireNoSessions(other, swap.live);
    throw new BifractError('BUSY', `Cannot end all sessions on database ${swap.live}`, {
      hint: 'Nothing was changed. Stop the Bifract server, then try again.',
      cause: error,
    });
  }
}

/** Ends sessions until the rename is done. Returns the number of sessions of other programs. */
async function endSessions(other: Client, swap: DatabaseSwap, renamed: Promise<unknown>): Promise<number> {
  const ended = new Set<number>();
  const settled = renamed.then(
    () => true,
    () => true,
  );
  do {
    const { rows } = await other.query<{ pid: number; own: boolean }>(END, [swap.live, swap.end_sessions]);
    for (const { pid, own } of rows) if (!own) ended.add(pid);
  } while (!(await Promise.race([settled, wait(POLL_MS, false)])));
  await renamed;
  return ended.size;
}

async function requireNoSessions(client: Client, database: string): Promise<void> {
  const sessions = await sessionsOn(client, database);
  if (sessions.length === 0) return;
  throw new BifractError('BUSY', describeSessions(database, sessions), {
    hint: 'Nothing was changed. Stop the programs they belong to, or have them ended (--end-sessions).',
  });
}

function describeSessions(database: string, sessions: DatabaseSession[]): string {
  const named = sessions
    .slice(0, 5)
    .map(({ pid, user, application, client }) =>
      [application || 'session', pid, 'of', user, ...(client ? ['from', client] : [])].join(' '),
    );
  const more = sessions.length > named.length ? ` and ${sessions.length - named.length} more` : '';
  return `Database ${database} has open sessions: ${named.join(', ')}${more}`;
}
