import { BifractError, UNDONE } from '../src/core/errors.ts';
import type { Engine, JobOwner } from '../src/core/index.ts';
import { createEngine, createSharingEngine } from '../src/core/run-engine.ts';
import type { GlobalFlags } from './arguments.ts';
import { readInstallation } from './installation.ts';
import { keepMemoryLow } from './memory.ts';
import { makeServices } from './wiring.ts';

export interface EngineOptions {
  /** Who started what this process does, where that was another process. */
  by?: JobOwner;
  /** Jobs run in processes of their own, and those of other processes are heard of. */
  shared?: boolean;
}

/** The engine on the installation that the flags name. */
export async function openEngine(
  flags: Pick<GlobalFlags, 'dir' | 'readOnly'>,
  { by, shared = false }: EngineOptions = {},
): Promise<Engine> {
  const installation = await readInstallation(flags.dir, process.env);
  const services = makeServices(installation, { by, read_only: flags.readOnly });
  if (shared) return createSharingEngine(services);
  const engine = createEngine(services, process.env.BIFRACT_DEBUG ? console.error : undefined);
  keepMemoryLow(engine);
  return engine;
}

/**
 * Gives `use` an engine and closes it afterwards, however that ends. SIGINT, SIGTERM and SIGHUP abort the
 * signal that `use` gets, with the error that leads to the right exit code; a second one ends the process.
 */
export async function withEngine<T>(
  flags: Pick<GlobalFlags, 'dir' | 'readOnly'>,
  use: (engine: Engine, signal: AbortSignal) => Promise<T>,
  {
    by,
    ignore_hangup = false,
  }: EngineOptions & { /** Goes on where the terminal hangs up. */ ignore_hangup?: boolean } = {},
): Promise<T> {
  const ending = endSignal(ignore_hangup);
  const engine = await openEngine(flags, { by });
  try {
    return await use(engine, ending.signal);
  } finally {
    await engine.close();
    ending.release();
  }
}

const EXIT_OF = { SIGINT: 130, SIGTERM: 143, SIGHUP: 143 } as const;

function endSignal(ignore_hangup: boolean): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const onSignal = (name: keyof typeof EXIT_OF) => {
    if (name === 'SIGHUP' && ignore_hangup) return;
    if (controller.signal.aborted) process.exit(EXIT_OF[name]);
    const code = name === 'SIGINT' ? 'CANCELLED' : 'TERMINATED';
    controller.abort(new BifractError(code, `Ended by ${name}`, { hint: UNDONE }));
  };
  const names = Object.keys(EXIT_OF) as (keyof typeof EXIT_OF)[];
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    release: () => {
      for (const name of names) process.off(name, onSignal);
    },
  };
}
