import { availableParallelism } from 'node:os';

/**
 * Threads of Node's pool: one per core and one for writing. With more, all of them take turns, finish at the same time and
 * idle together.
 */
export function poolThreads(): number {
  return Math.min(6, Math.max(3, availableParallelism() + 1));
}
