import v8 from 'node:v8';
import vm from 'node:vm';
import type { Engine } from '../src/core/index.ts';

/** So many bytes of buffers more than a major collection left are mostly dead ones that minor ones no longer look at. */
const MANY_BYTES = 16 << 20;
/** Progress is told each tenth of a second: half of that later, there is as much to collect again. */
const AGAIN_MS = 50;

/**
 * Collects garbage while jobs run, twice as often as they report progress.
 *
 * The collector counts what a buffer's object weighs, not its bytes: left alone, a job that streams gigabytes holds some
 * 50 MiB of dead buffers. A minor collection takes about a millisecond, a major one of so small a heap about ten. Left
 * to mark by itself, it does so without end, for it finds so small a heap to be always near its limit: a tenth of all CPU.
 */
export function keepMemoryLow(engine: Engine): void {
  v8.setFlagsFromString('--no-incremental-marking');
  // Freed later, beside the program, they would still be counted right after a collection.
  v8.setFlagsFromString('--no-concurrent-array-buffer-sweeping');
  const collect = collector();
  let left = 0;
  let again: NodeJS.Timeout | undefined;
  const tidy = () => {
    collect('minor');
    if (process.memoryUsage().arrayBuffers < left + MANY_BYTES) return;
    collect('major');
    left = process.memoryUsage().arrayBuffers;
  };
  engine.subscribe(({ event }) => {
    if (event !== 'job:progress') return;
    tidy();
    clearTimeout(again);
    again = setTimeout(tidy, AGAIN_MS).unref();
  });
}

function collector(): (type: 'minor' | 'major') => void {
  v8.setFlagsFromString('--expose-gc');
  const gc = vm.runInNewContext('gc') as (options: { type: 'minor' | 'major' }) => void;
  v8.setFlagsFromString('--no-expose-gc');
  return (type) => gc({ type });
}
