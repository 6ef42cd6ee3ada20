import type { State } from '../ports/state.ts';
import type { JobContext } from './context.ts';

/** How long a job waits for the installation lock, milliseconds. */
const LIMIT_MS = 10 * 60_000;

/** Runs work under the installation lock, and says what it waits for. `BUSY` if the lock is not free in time. */
export function withLock<T>(
  state: State,
  { id, signal, emit }: Pick<JobContext, 'id' | 'signal' | 'emit'>,
  work: () => Promise<T>,
): Promise<T> {
  const onWait = (holder = 'another job') => emit('job:phase', { phase: `Waiting for ${holder}` });
  return state.locked(id, work, { signal, limit_ms: LIMIT_MS, onWait });
}
