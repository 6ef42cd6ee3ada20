import type { Emit, Progress } from '../contract/events.ts';
import { throttle } from './throttle.ts';

/** Passes `bytes` through and reports the current result of `read` as progress, now and then and once at the end. */
export async function* withProgress<T>(
  bytes: AsyncIterable<T>,
  emit: Emit,
  read: () => Progress,
): AsyncIterable<T> {
  const report = () => emit('job:progress', read());
  const step = throttle(report);
  for await (const block of bytes) {
    yield block;
    step();
  }
  report();
}
