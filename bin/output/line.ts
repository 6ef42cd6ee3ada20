import type { JobEvent } from '../../src/core/index.ts';
import { sanitize } from '../../src/core/text/sanitize.ts';
import type { Printer } from './printer.ts';
import { describeEvent, describeItem, ProgressLine } from './progress.ts';

const LOG_INTERVAL_MS = 30_000;
const LIVE_INTERVAL_MS = 100;

export interface LineOutput {
  out: (line: string) => void;
  err: (text: string) => void;
  /** Whether stderr is a terminal, so that one line can be redrawn. */
  live: boolean;
  columns: () => number;
  quiet: boolean;
}

/** For people: progress on stderr, as a live line or a line every 30 s; results on stdout. */
export function linePrinter({ out, err, live, columns, quiet }: LineOutput): Printer {
  const line = new ProgressLine();
  let drawn = false;
  let last = performance.now();
  const clear = () => {
    if (drawn) err('\r\u001b[K');
    drawn = false;
  };
  const print = (text: string) => {
    clear();
    err(`${sanitize(text)}\n`);
  };
  const draw = (event: JobEvent) => {
    const now = performance.now();
    if (now - last < (live ? LIVE_INTERVAL_MS : LOG_INTERVAL_MS)) return;
    last = now;
    const text = line.text(event, live ? columns() - 1 : undefined);
    if (!live) return print(text);
    err(`\r\u001b[K${text}`);
    drawn = true;
  };
  const printResult = (lines: string[]) => {
    clear();
    for (const text of lines) out(sanitize(text));
  };
  return {
    event(event) {
      line.fold(event);
      if (event.event === 'job:item') return printResult([describeItem(event)]);
      if (quiet) return;
      if (event.event === 'job:progress') return draw(event);
      const text = describeEvent(event);
      if (text) print(text);
    },
    result: (_value, lines, brief = lines) => printResult(quiet ? brief : lines),
    list: (_values, lines) => printResult(lines),
    failed({ message, hint, code }) {
      clear();
      err(`bifract: ${sanitize(message)} [${sanitize(code)}]\n`);
      if (hint) err(`         ${sanitize(hint)}\n`);
    },
  };
}
