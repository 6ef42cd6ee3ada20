import { fstatSync } from 'node:fs';
import { mask, maskAll } from '../../src/core/text/mask.ts';
import { jsonPrinter } from './json.ts';
import { linePrinter } from './line.ts';
import { logPrinter } from './log.ts';
import type { Printer } from './printer.ts';

interface PrinterFlags {
  json?: boolean;
  quiet?: boolean;
  nonInteractive?: boolean;
}

interface Streams {
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
}

/** Chooses the printer by the flags. */
export function makePrinter(flags: PrinterFlags, streams: Streams): Printer {
  return masked(choosePrinter(flags, streams));
}

/** Masks secrets in everything that is printed. */
function masked(printer: Printer): Printer {
  return {
    event: (event) => printer.event(maskAll(event)),
    result: (value, lines, brief) => printer.result(maskAll(value), lines.map(mask), brief?.map(mask)),
    list: (values, lines) => printer.list(maskAll(values), lines.map(mask)),
    failed: (error) => printer.failed(maskAll(error)),
  };
}

function choosePrinter(flags: PrinterFlags, { stdout, stderr }: Streams): Printer {
  const out = (line: string) => void stdout.write(`${line}\n`);
  const err = (text: string) => void stderr.write(text);
  if (flags.json) return jsonPrinter(out);
  if (flags.nonInteractive) return logPrinter(out, sameFile() ? () => undefined : err, flags.quiet ?? false);
  return linePrinter({
    out,
    err,
    live: stderr.isTTY === true,
    columns: () => stderr.columns ?? 80,
    quiet: flags.quiet ?? false,
  });
}

/** Whether stdout and stderr are the same file, as after `>> log 2>&1`. */
function sameFile(): boolean {
  try {
    const [one, other] = [fstatSync(1), fstatSync(2)];
    return one.ino === other.ino && one.dev === other.dev;
  } catch {
    return false;
  }
}
