import { chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { BifractError } from '../../src/core/contract/errors.ts';
import { freePort } from './free-port.ts';
import { findPostgres, type PostgresPrograms, serverUser } from './postgres-programs.ts';
import { type PostgresAddress, queryPostgres } from './query.ts';
import type { DemoSupervisor, RunningProgram } from './supervisor.ts';

const ATTEMPTS = 3;
const POLL_MS = 40;
const START_LIMIT_MS = 30_000;

/** A throwaway server with an empty database `bifract`. */
export interface PostgresServer extends PostgresAddress {
  /** Such as `15.18`. */
  version: string;
  /** Folder of its programs. */
  bin: string;
}

/**
 * Creates a cluster in the supervisor's folder and starts it on 127.0.0.1: no socket, one user with a password, no fsync.
 * Throws `PROGRAM_MISSING` without PostgreSQL, `POSTGRES_UNREACHABLE` if it does not start.
 */
export async function startPostgres(supervisor: DemoSupervisor, password: string): Promise<PostgresServer> {
  const [programs, user] = await Promise.all([findPostgres(), serverUser()]);
  const data = join(supervisor.dir, 'postgres');
  await mkdir(data, { mode: 0o700 });
  if (user) await chown(data, user.uid, user.gid);
  await initialize(supervisor, programs, data, password, user);
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const running = await supervisor.start({
      name: `postgres-${attempt}`,
      command: join(programs.bin, 'postgres'),
      args: ['-D', data, ...serverSettings(port)],
      env: cleanEnvironment(),
      user,
      // Immediate shutdown: frees the shared memory and does not wait for clients.
      stop_signal: 'SIGQUIT',
    });
    const address = { host: '127.0.0.1', port, user: 'bifract', password, database: 'bifract' };
    const ready = await isReady({ ...address, database: 'postgres' }, running);
    if (ready) {
      await queryPostgres({ ...address, database: 'postgres' }, 'CREATE DATABASE bifract');
      return { ...address, ...programs };
    }
    if (attempt < ATTEMPTS) continue;
    throw new BifractError(
      'POSTGRES_UNREACHABLE',
      `PostgreSQL did not start: ${await running.errorOutput()}`,
    );
  }
}

async function initialize(
  supervisor: DemoSupervisor,
  { bin }: PostgresPrograms,
  data: string,
  password: string,
  user: { uid: number; gid: number } | undefined,
): Promise<void> {
  const secret = join(supervisor.dir, 'postgres-password');
  await writeFile(secret, password, { mode: 0o600 });
  if (user) await chown(secret, user.uid, user.gid);
  try {
    await supervisor.run({
      name: 'initdb',
      command: join(bin, 'initdb'),
      args: [
        ...['-D', data, '-U', 'bifract', '--pwfile', secret, '--auth', 'scram-sha-256'],
        ...['-E', 'UTF8', '--no-locale', '--no-sync'],
      ],
      env: cleanEnvironment(),
      user,
      stop_signal: 'SIGKILL',
    });
  } finally {
    await rm(secret, { force: true });
  }
}

function serverSettings(port: number): string[] {
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    timezone: 'UTC',
    log_timezone: 'UTC',
    max_connections: 100,
    shared_buffers: '64MB',
    dynamic_shared_memory_type: 'mmap',
    fsync: 'off',
    full_page_writes: 'off',
    synchronous_commit: 'off',
    // For prepared transactions and replication slots, as on servers of others.
    wal_level: 'logical',
    max_prepared_transactions: 10,
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** Waits until the server accepts a login; returns false if it ended instead. */
async function isReady(address: PostgresAddress, running: RunningProgram): Promise<boolean> {
  let ended = false;
  void running.ended.then(() => {
    ended = true;
  });
  const deadline = Date.now() + START_LIMIT_MS;
  while (!ended && Date.now() < deadline) {
    const ready = await queryPostgres(address, 'SELECT 1').then(
      () => true,
      () => false,
    );
    if (ready) return true;
    await wait(POLL_MS);
  }
  return false;
}

function cleanEnvironment(): Record<string, string> {
  return { PATH: process.env.PATH ?? '', LC_ALL: 'C', TZ: 'UTC' };
}
