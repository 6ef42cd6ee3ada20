import v8 from 'node:v8';
import vm from 'node:vm';
import type { Engine } from '../src/core/index.ts';

/**
 * Collects young garbage while jobs run, as often as they report progress.
 *
 * The collector counts what a buffer's object weighs, not its bytes: left alone, a job that streams gigabytes
 * holds some 50 MiB of dead buffers. A minor collection takes about a millisecond.
 */
export function keepMemoryLow(engine: Engine): void {
  const collect = minorCollection();
  engine.subscribe(({ event }) => {
    if (event === 'job:progress') collect();
  });
}

function minorCollection(): () => void {
  v8.setFlagsFromString('--expose-gc');
  const gc = vm.runInNewContext('gc') as (options: { type: 'minor' }) => void;
  v8.setFlagsFromString('--no-expose-gc');
  return () => gc({ type: 'minor' });
}
