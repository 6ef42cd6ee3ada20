import type { LineTail } from '../../format/index.ts';
import type { Retrier } from '../../job/retry.ts';
import type { LineBlock, LineOptions, LogDatabase, LogWindow } from '../../ports/log-database.ts';

/** After this many failed attempts in a row, queries use less memory, in case that is the cause. */
const LOW_MEMORY_FROM_ATTEMPT = 2;

/**
 * The lines of a window, each once, even if the query is interrupted: it resumes at the row after the last one in
 * `tail`. Throws errors that are not transient, and once retries are exhausted.
 */
export async function* streamRows(
  logs: LogDatabase,
  window: LogWindow,
  { signal, ...options }: LineOptions & { signal: AbortSignal },
  tail: LineTail,
  retrier: Retrier,
): AsyncGenerator<LineBlock> {
  for (let lowMemory = false; ; ) {
    try {
      const start = tail.key();
      const lines = logs.lines(window, { ...options, signal, start, low_memory: lowMemory });
      for await (const block of start ? tail.unseen(lines) : lines) {
        retrier.progressed();
        tail.add(block.bytes);
        yield block;
      }
      return;
    } catch (error) {
      await retrier.wait(error, signal);
      lowMemory ||= retrier.attempt >= LOW_MEMORY_FROM_ATTEMPT;
    }
  }
}
