import { createRequire } from 'node:module';
import { join } from 'node:path';
import { BifractError } from '../../src/core/contract/errors.ts';
import { entryCommand } from './entry.ts';
import type { DemoSupervisor } from './supervisor.ts';

/** Each running statement holds one thread; the engine has threads of its own. */
const THREADS = 48;

/** A throwaway ClickHouse server with an HTTP interface. */
export interface ClickhouseServer {
  host: string;
  http_port: number;
  url: string;
  user: string;
  password: string;
  /** Its process and the end of it; undefined if another process started it. */
  pid?: number;
  ended?: Promise<unknown>;
}

/** Starts ClickHouse in the supervisor's folder. Throws `PROGRAM_MISSING` without chdb, `CLICKHOUSE_UNREACHABLE` if it fails. */
export async function startClickhouse(
  supervisor: DemoSupervisor,
  password: string,
): Promise<ClickhouseServer> {
  const user = 'default';
  const running = await supervisor.start({
    name: 'clickhouse',
    ...entryCommand('chdb-server'),
    env: {
      PATH: process.env.PATH ?? '',
      TZ: 'UTC',
      UV_THREADPOOL_SIZE: String(THREADS),
      CHDB_MODULE: findChdb(),
      CHDB_PATH: join(supervisor.dir, 'clickhouse'),
      CHDB_TEMP: join(supervisor.dir, 'clickhouse-pipes'),
      CHDB_USER: user,
      CHDB_PASSWORD: password,
    },
    stop_signal: 'SIGKILL',
  });
  const http_port = Number(await running.firstLine());
  if (!http_port) {
    throw new BifractError(
      'CLICKHOUSE_UNREACHABLE',
      `ClickHouse did not start: ${await running.errorOutput()}`,
    );
  }
  const host = '127.0.0.1';
  return {
    host,
    http_port,
    url: `http://${host}:${http_port}`,
    user,
    password,
    pid: running.pid,
    ended: running.ended,
  };
}

/** Resolves the library next to this program, in the project or installed globally. Throws `PROGRAM_MISSING`. */
export function findChdb(program = import.meta.url): string {
  try {
    return createRequire(program).resolve('chdb');
  } catch (cause) {
    // Not from the working directory: anybody may have put it there.
    throw new BifractError('PROGRAM_MISSING', 'chdb is not installed; the demo uses it as its ClickHouse', {
      hint: 'Install it (540 MB) where this program is installed, for example with npm i -g chdb.',
      cause,
    });
  }
}
