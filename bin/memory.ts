import v8 from 'node:v8';
import vm from 'node:vm';
import type { Engine } from '../src/core/index.ts';

/** Growth of buffers since the last major collection that calls for another one: most are dead, and minor collections miss them. */
const MAJOR_GROWTH_BYTES = 16 << 20;
/** Half the interval of progress events. */
const REPEAT_MS = 50;

/**
 * Collects garbage while jobs run, twice as often as they report progress.
 *
 * The collector counts the size of a buffer's object, not its bytes: left alone, a job that streams gigabytes holds some
 * 50 MiB of dead buffers. A minor collection takes about 1 ms, a major one of such a small heap about 10 ms. Incremental
 * marking is off because it would run all the time, as such a small heap always seems near its limit: 10 % of all CPU.
 */
export function keepMemoryLow(engine: Engine): void {
  v8.setFlagsFromString('--no-incremental-marking');
  // If they were freed concurrently, they would still be counted right after a collection.
  v8.setFlagsFromString('--no-concurrent-array-buffer-sweeping');
  const collect = collector();
  let left = 0;
  let repeat: NodeJS.Timeout | undefined;
  const collectGarbage = () => {
    collect('minor');
    if (process.memoryUsage().arrayBuffers < left + MAJOR_GROWTH_BYTES) return;
    collect('major');
    left = process.memoryUsage().arrayBuffers;
  };
  engine.subscribe(({ event }) => {
    if (event !== 'job:progress') return;
    collectGarbage();
    clearTimeout(repeat);
    repeat = setTimeout(collectGarbage, REPEAT_MS).unref();
  });
}

function collector(): (type: 'minor' | 'major') => void {
  v8.setFlagsFromString('--expose-gc');
  const gc = vm.runInNewContext('gc') as (options: { type: 'minor' | 'major' }) => void;
  v8.setFlagsFromString('--no-expose-gc');
  return (type) => gc({ type });
}
