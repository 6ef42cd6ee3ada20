import { join } from 'node:path';
import type { ClickhouseServer } from './clickhouse.ts';
import type { Generation } from './generations.ts';
import { createInstallDir, type InstallDir } from './install-dir.ts';
import type { PostgresServer } from './postgres.ts';
import { seedDemo } from './seed.ts';
import { LOGS_DATABASE, type OnStep, startServices } from './services.ts';
import { type DemoSupervisor, startDemoSupervisor } from './supervisor.ts';

/** A running throwaway installation. */
export interface Demo extends InstallDir {
  postgres: PostgresServer;
  clickhouse: ClickhouseServer;
  clickhouse_url: string;
  /** Number of log rows. */
  rows: number;
  /** See `DemoSupervisor.adopt`. */
  adopt: DemoSupervisor['adopt'];
  /** Stops the servers and removes all files. Can be called again. */
  stop(): Promise<void>;
}

export interface DemoOptions {
  /** Release of the server whose tables and data it has. */
  generation: Generation;
  /** Called after each step. */
  onStep?: OnStep;
  /** Factor for the number of rows; 0: an empty installation. */
  scale?: number;
  /** Aborts the start and cleans up. */
  signal?: AbortSignal;
}

/**
 * Starts both servers, creates an installation directory and fills it. Everything ends with this process.
 * Throws `PROGRAM_MISSING`, `POSTGRES_UNREACHABLE`, `CLICKHOUSE_UNREACHABLE`, and the reason of the signal.
 */
export async function startDemo({
  generation,
  onStep = () => {},
  scale = 1,
  signal,
}: DemoOptions): Promise<Demo> {
  const supervisor = await startDemoSupervisor();
  const stop = () => void supervisor.stop();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    signal?.throwIfAborted();
    return await fill(supervisor, generation, onStep, scale);
  } catch (error) {
    await supervisor.stop();
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

async function fill(
  supervisor: DemoSupervisor,
  generation: Generation,
  onStep: OnStep,
  scale: number,
): Promise<Demo> {
  const { postgres, clickhouse } = await startServices(supervisor, generation, onStep);
  const started = Date.now();
  const target = { postgres, clickhouse, logs_database: LOGS_DATABASE, generation };
  const rows = scale === 0 ? 0 : await seedDemo(target, { scale });
  onStep(`${rows.toLocaleString('en')} log rows`, Date.now() - started);
  const logs = { ...clickhouse, database: LOGS_DATABASE };
  const installation = await createInstallDir(join(supervisor.dir, 'bifract'), postgres, logs);
  return {
    ...installation,
    postgres,
    clickhouse,
    clickhouse_url: clickhouse.url,
    rows,
    adopt: supervisor.adopt,
    stop: supervisor.stop,
  };
}
