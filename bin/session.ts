import { BifractError } from '../src/core/contract/errors.ts';
import { createEngine, createSharingEngine, type Engine, type JobOwner } from '../src/core/index.ts';
import type { Context, GlobalFlags } from './command.ts';
import { readInstallation } from './installation.ts';
import { keepMemoryLow } from './memory.ts';
import { printFault } from './output/fault.ts';
import { makeServices } from './wiring.ts';

interface EngineOptions {
  /** Who started the job, if another process did. */
  by?: JobOwner;
  /** Run jobs in processes of their own, and follow jobs of other processes. */
  shared?: boolean;
}

interface SessionOptions extends Pick<EngineOptions, 'by'> {
  /** Keep running after SIGHUP. */
  ignore_hangup?: boolean;
}

/** Opens the engine on the installation in `flags.dir`. */
export async function openEngine(
  flags: Pick<GlobalFlags, 'dir' | 'readOnly'>,
  { by, shared = false }: EngineOptions = {},
): Promise<Engine> {
  const installation = await readInstallation(flags.dir, process.env);
  const services = makeServices(installation, { by, read_only: flags.readOnly });
  if (shared) return createSharingEngine(services);
  const engine = createEngine(services, process.env.BIFRACT_DEBUG ? printFault : undefined);
  keepMemoryLow(engine);
  return engine;
}

/** What a command works with while its engine is open. */
export interface Session extends Context {
  engine: Engine;
  signal: AbortSignal;
}

/**
 * Calls `use` with an engine and closes the engine afterwards. SIGINT, SIGTERM and SIGHUP abort the signal of the
 * session, with the error for the right exit code; a second one exits at once.
 */
export async function withEngine<T>(
  context: Context,
  use: (session: Session) => Promise<T>,
  { by, ignore_hangup = false }: SessionOptions = {},
): Promise<T> {
  const stop = stopSignal(ignore_hangup);
  const engine = await openEngine(context.flags, { by });
  try {
    return await use({ ...context, engine, signal: stop.signal });
  } finally {
    await engine.close();
    stop.dispose();
  }
}

const EXIT_OF = { SIGINT: 130, SIGTERM: 143, SIGHUP: 143 } as const;

function stopSignal(ignore_hangup: boolean): { signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const onSignal = (name: keyof typeof EXIT_OF) => {
    if (name === 'SIGHUP' && ignore_hangup) return;
    if (controller.signal.aborted) process.exit(EXIT_OF[name]);
    const code = name === 'SIGINT' ? 'CANCELLED' : 'TERMINATED';
    controller.abort(new BifractError(code, `Stopped by ${name}`));
  };
  const names = Object.keys(EXIT_OF) as (keyof typeof EXIT_OF)[];
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    dispose: () => {
      for (const name of names) process.off(name, onSignal);
    },
  };
}
