import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BifractError } from '../../src/core/errors.ts';
import { entryCommand } from './entry.ts';
import type { Keeper } from './keeper.ts';

/** Each running statement holds one; the engine's own threads come on top. */
const THREADS = 48;

/** A throw-away ClickHouse, over HTTP. */
export interface ClickhouseServer {
  host: string;
  http_port: number;
  url: string;
  user: string;
  password: string;
  /** Of its process, and its end; not known of one that another process has started. */
  pid?: number;
  ended?: Promise<unknown>;
}

/** Starts ClickHouse in the keeper's folder. `PROGRAM_MISSING` without chdb, `CLICKHOUSE_UNREACHABLE` when it fails. */
export async function startClickhouse(keeper: Keeper, password: string): Promise<ClickhouseServer> {
  const user = 'default';
  const running = await keeper.start({
    name: 'clickhouse',
    ...entryCommand('chdb-server'),
    env: {
      PATH: process.env.PATH ?? '',
      TZ: 'UTC',
      UV_THREADPOOL_SIZE: String(THREADS),
      CHDB_MODULE: findChdb(),
      CHDB_PATH: join(keeper.dir, 'clickhouse'),
      CHDB_TEMP: join(keeper.dir, 'clickhouse-pipes'),
      CHDB_USER: user,
      CHDB_PASSWORD: password,
    },
    stop_signal: 'SIGKILL',
  });
  const http_port = Number(await running.line());
  if (!http_port) {
    throw new BifractError(
      'CLICKHOUSE_UNREACHABLE',
      `ClickHouse did not start: ${await running.complaint()}`,
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

/** Beside this program (in the project, or installed globally as well), and in the working directory. */
const CHDB_PLACES = [import.meta.url, pathToFileURL(join(process.cwd(), 'package.json')).href];

/** The resolved path of the library, seen from the first place that has it. `PROGRAM_MISSING` where none has. */
export function findChdb(places = CHDB_PLACES): string {
  for (const place of places) {
    try {
      return createRequire(place).resolve('chdb');
    } catch {
      // Not here.
    }
  }
  throw new BifractError(
    'PROGRAM_MISSING',
    'The demo needs chdb, ClickHouse as a library, which is not installed',
    {
      hint: 'Install it (540 MB): npm i -g chdb, or npm i chdb in the folder that you run the demo from',
    },
  );
}
