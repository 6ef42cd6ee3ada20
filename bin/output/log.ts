import { sanitize } from '../../src/core/text/sanitize.ts';
import type { Printer } from './printer.ts';
import { describeEvent, describeItem, ProgressLine } from './progress.ts';

const INTERVAL_MS = 30_000;

/**
 * For cron: lines with UTC timestamps on stdout, for `>> file`. Failures go to `err` as well, which cron mails.
 */
export function logPrinter(
  out: (line: string) => void,
  err: (text: string) => void,
  quiet: boolean,
): Printer {
  const line = new ProgressLine();
  let last = performance.now();
  const log = (text: string) => out(`${new Date().toISOString().slice(0, 19)}Z ${sanitize(text)}`);
  return {
    event(event) {
      line.fold(event);
      if (event.event === 'job:item') return log(describeItem(event));
      if (quiet) return;
      if (event.event !== 'job:progress') {
        const text = describeEvent(event);
        if (text) log(text);
        return;
      }
      if (performance.now() - last < INTERVAL_MS) return;
      last = performance.now();
      log(line.text(event));
    },
    result(_value, lines, brief = lines) {
      // Brief quiet output is for programs: no timestamps.
      if (quiet && brief !== lines) return brief.forEach((text) => void out(sanitize(text)));
      for (const text of lines) log(text);
    },
    list(_values, lines) {
      for (const text of lines) out(sanitize(text));
    },
    failed({ message, hint, code }) {
      const text = `ERROR ${message}${hint ? `. ${hint}` : ''} [${code}]`;
      log(text);
      err(`bifract: ${sanitize(text)}\n`);
    },
  };
}
