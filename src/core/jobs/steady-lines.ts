import type { LineTail } from '../format/index.ts';
import type { LineBlock, LineOptions, LogDatabase, LogWindow } from '../ports/log-database.ts';
import type { Patience } from './patience.ts';

/** From the second try that brings nothing on, less is asked for at once: memory may be what is short. */
const FRUGAL_FROM = 2;

/**
 * The lines of a window, each once, through interruptions of the query: it is asked again from the row where `tail`
 * stands. Throws what no waiting mends, and what there is no patience left for.
 */
export async function* steadyLines(
  logs: LogDatabase,
  window: LogWindow,
  { signal, ...options }: LineOptions & { signal: AbortSignal },
  tail: LineTail,
  patience: Patience,
): AsyncGenerator<LineBlock> {
  for (let frugal = false; ; ) {
    try {
      const start = tail.key();
      const lines = logs.lines(window, { ...options, signal, start, frugal });
      for await (const block of start ? tail.unseen(lines) : lines) {
        patience.progressed();
        tail.add(block.bytes);
        yield block;
      }
      return;
    } catch (error) {
      await patience.wait(error, signal);
      frugal ||= patience.attempt >= FRUGAL_FROM;
    }
  }
}
