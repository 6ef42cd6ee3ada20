import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from 'pg';
import { BifractError } from '../../contract/errors.ts';
import { sqlState } from './errors.ts';

const IN_USE = '55006';
const TRIES = 20;
const POLL_MS = 100;
const READ_ONLY = '25006';

const FOUND = `SELECT datistemplate AS template, datallowconn AS open,
    ARRAY(SELECT subname::text FROM pg_subscription WHERE subdbid = d.oid) AS subscriptions,
    ARRAY(SELECT gid FROM pg_prepared_xacts WHERE database = d.datname) AS prepared,
    ARRAY(SELECT slot_name::text FROM pg_replication_slots WHERE database = d.datname) AS slots
  FROM pg_database d WHERE datname = $1`;

interface Found {
  template: boolean;
  open: boolean;
  subscriptions: string[];
  prepared: string[];
  slots: string[];
}

/** Statements to run first, on the server and in the database itself. */
interface Release {
  outside: string[];
  inside: string[];
}

/**
 * Drops a database that this program created or set aside, with what would keep PostgreSQL from it: sessions, its role as
 * a template, subscriptions, prepared transactions, replication slots. `inside` runs statements in the database. False if
 * there is none. The hint of the error has the statements for an administrator.
 */
export async function dropDatabase(
  client: Client,
  database: string,
  inside: (work: (client: Client) => Promise<void>) => Promise<void>,
): Promise<boolean> {
  const found = await find(client, database);
  if (!found) return false;
  const drop = `DROP DATABASE IF EXISTS ${client.escapeIdentifier(database)} WITH (FORCE)`;
  const release = releaseOf(client, database, found);
  // If this fails, so does the statement that follows, and its message is the one to show.
  await runAll(client, release.outside).catch(() => undefined);
  if (release.inside.length > 0) {
    await inside((own) => runAll(own, release.inside)).catch(() => undefined);
  }
  try {
    await client.query(drop);
    return true;
  } catch (error) {
    throw await dropError(client, { database, drop }, error);
  }
}

async function find(client: Client, database: string): Promise<Found | undefined> {
  return (await client.query<Found>(FOUND, [database])).rows[0];
}

function releaseOf(client: Client, database: string, found: Found): Release {
  const name = client.escapeIdentifier(database);
  const inside = [
    ...found.prepared.map((gid) => `ROLLBACK PREPARED ${client.escapeLiteral(gid)}`),
    ...found.slots.flatMap((slot) => releaseSlot(client.escapeLiteral(slot))),
    ...(found.subscriptions.length > 0 ? [DISABLE_EVENT_TRIGGERS] : []),
    ...found.subscriptions.flatMap((one) => releaseSubscription(client.escapeIdentifier(one))),
  ];
  const outside = [
    ...(found.template ? [`ALTER DATABASE ${name} IS_TEMPLATE false`] : []),
    ...(inside.length > 0 && !found.open ? [`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`] : []),
  ];
  return { outside, inside };
}

function releaseSlot(slot: string): string[] {
  return [
    `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = ${slot} AND active`,
    `SELECT pg_drop_replication_slot(${slot})`,
  ];
}

/** They came with the backup, and may refuse any statement that changes an object. None refuses this one. */
const DISABLE_EVENT_TRIGGERS =
  `DO $$ DECLARE one name; BEGIN FOR one IN SELECT evtname FROM pg_event_trigger LOOP
    EXECUTE format('ALTER EVENT TRIGGER %I DISABLE', one); END LOOP; END $$`.replaceAll(/\s+/g, ' ');

/** Keeps the slot on the publisher: it may be that of the live database. */
function releaseSubscription(name: string): string[] {
  const change = `ALTER SUBSCRIPTION ${name}`;
  return [`${change} DISABLE`, `${change} SET (slot_name = NONE)`, `DROP SUBSCRIPTION ${name}`];
}

/** Runs every statement; throws the first error afterwards. */
async function runAll(client: Client, statements: readonly string[]): Promise<void> {
  const errors: unknown[] = [];
  for (const statement of statements) await runOne(client, statement).catch((error) => errors.push(error));
  if (errors.length > 0) throw errors[0];
}

/** A session that was ended holds on to its slot for a moment. */
async function runOne(client: Client, statement: string): Promise<void> {
  for (let tries = TRIES; ; tries--) {
    try {
      await client.query(statement);
      return;
    } catch (error) {
      if (sqlState(error) !== IN_USE || tries <= 1) throw error;
      await wait(POLL_MS);
    }
  }
}

async function dropError(
  client: Client,
  { database, drop }: { database: string; drop: string },
  cause: unknown,
): Promise<unknown> {
  const state = sqlState(cause);
  // A broken connection, or a server that shuts down: not the fault of the database.
  if (!(cause instanceof Error) || !/^[0-9A-Z]{5}$/.test(state) || /^(08|57P)/.test(state)) return cause;
  const message = `Cannot drop database ${database}: ${cause.message}`;
  if (state === READ_ONLY) {
    const hint = `It is dropped once the server is writable again; or run on the primary server: ${drop}`;
    return new BifractError('QUERY_FAILED', message, { hint, cause });
  }
  const left = await find(client, database).catch(() => undefined);
  const { outside, inside } = left ? releaseOf(client, database, left) : { outside: [], inside: [] };
  const first =
    inside.length > 0 ? `in database ${database}: ${inside.join('; ')}; then in another one: ` : '';
  return new BifractError('QUERY_FAILED', message, {
    hint: `As a PostgreSQL superuser, run ${first}${[...outside, drop].join('; ')}`,
    cause,
  });
}
