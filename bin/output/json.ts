import type { JobEvent } from '../../src/core/index.ts';
import { escapeInvisible } from '../../src/core/text/sanitize.ts';
import type { Printer } from './printer.ts';

/**
 * NDJSON on stdout. A job prints its events as they come, its outcome last. A list prints one object per line. A failure
 * outside a job is a `job:failed` line too, so that scripts look in one place. A terminal cannot be controlled by what
 * a text contains: such characters are escaped.
 */
export function jsonPrinter(out: (line: string) => void): Printer {
  let ended = false;
  const print = (value: object) => out(escapeInvisible(JSON.stringify(value)));
  return {
    event(event: JobEvent) {
      ended ||= event.event === 'job:done' || event.event === 'job:failed' || event.event === 'job:cancelled';
      // Scripts look for one event: a cancelled job has failed, and its code says why.
      print(event.event === 'job:cancelled' ? { ...event, event: 'job:failed' } : event);
    },
    result(value) {
      if (!ended) print(value);
    },
    list(values) {
      for (const value of values) print(value);
    },
    failed(error) {
      if (!ended) print({ event: 'job:failed', error });
    },
  };
}
