import type { Emit, Progress } from '../contract/events.ts';

const INTERVAL_MS = 100;

/**
 * Passes `bytes` through and reports progress: at most ten times a second, and once at the end, with the
 * current result of `read`.
 */
export async function* withProgress<T>(
  bytes: AsyncIterable<T>,
  emit: Emit,
  read: () => Progress,
): AsyncIterable<T> {
  let last = Number.NEGATIVE_INFINITY;
  for await (const block of bytes) {
    yield block;
    const now = performance.now();
    if (now - last < INTERVAL_MS) continue;
    last = now;
    emit('job:progress', read());
  }
  emit('job:progress', read());
}
