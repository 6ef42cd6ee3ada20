import { availableParallelism } from 'node:os';

/**
 * Threads of Node's pool: one for each core and one that writes. Of more, all take turns, end at the same time, and wait
 * together for what comes next.
 */
export function poolThreads(): number {
  return Math.min(6, Math.max(3, availableParallelism() + 1));
}
