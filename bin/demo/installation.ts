import { join } from 'node:path';
import type { ClickhouseServer } from './clickhouse.ts';
import { type InstallDir, makeInstallDir } from './install-dir.ts';
import { type Keeper, startKeeper } from './keeper.ts';
import type { PostgresServer } from './postgres.ts';
import { seedDemo } from './seed.ts';
import { LOGS_DATABASE, type OnStep, startServices } from './services.ts';

/** A running throw-away installation. */
export interface Demo extends InstallDir {
  postgres: PostgresServer;
  clickhouse: ClickhouseServer;
  clickhouse_url: string;
  /** Rows of logs in it. */
  rows: number;
  /** Whoever dies with the demo too: see the keeper. */
  adopt: Keeper['adopt'];
  /** Ends the servers, removes every file. Can be called again. */
  stop(): Promise<void>;
}

export interface DemoOptions {
  /** Told each step as it ends. */
  onStep?: OnStep;
  /** Multiplies the rows; 0: an empty installation. */
  scale?: number;
  /** Ends the start; what has begun is cleaned up. */
  signal?: AbortSignal;
}

/**
 * Starts both servers, makes an installation directory and fills it. All of it ends with this process.
 * Errors: `PROGRAM_MISSING`, `POSTGRES_UNREACHABLE`, `CLICKHOUSE_UNREACHABLE`, and the signal's reason.
 */
export async function startDemo({ onStep = () => {}, scale = 1, signal }: DemoOptions = {}): Promise<Demo> {
  const keeper = await startKeeper();
  const stop = () => void keeper.stop();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    signal?.throwIfAborted();
    return await fill(keeper, onStep, scale);
  } catch (error) {
    await keeper.stop();
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

async function fill(keeper: Keeper, onStep: OnStep, scale: number): Promise<Demo> {
  const { postgres, clickhouse } = await startServices(keeper, onStep);
  const began = Date.now();
  const target = { postgres, clickhouse, logs_database: LOGS_DATABASE };
  const rows = scale === 0 ? 0 : await seedDemo(target, { scale });
  onStep(`${rows.toLocaleString('en')} rows of logs`, Date.now() - began);
  const logs = { ...clickhouse, database: LOGS_DATABASE };
  const installation = await makeInstallDir(join(keeper.dir, 'bifract'), postgres, logs);
  return {
    ...installation,
    postgres,
    clickhouse,
    clickhouse_url: clickhouse.url,
    rows,
    adopt: keeper.adopt,
    stop: keeper.stop,
  };
}
