import { fstatSync } from 'node:fs';
import type { ErrorReport, JobEvent } from '../src/core/index.ts';
import { jsonPrinter } from './print/json.ts';
import { linePrinter } from './print/line.ts';
import { logPrinter } from './print/log.ts';

/** How a command tells what happens. */
export interface Printer {
  /** A job's event as it comes. */
  event(event: JobEvent): void;
  /** One result: a plain object for programs, and the lines that say the same to people; `brief` where they want quiet. */
  result(value: object, lines: string[], brief?: string[]): void;
  /** One of several results of a job, as lines for people: programs have its event. */
  item(lines: string[]): void;
  /** A list: one object each for programs, and the lines of a table for people. */
  list(values: object[], lines: string[]): void;
  /** The command failed. */
  failed(error: ErrorReport): void;
}

export interface PrinterFlags {
  json?: boolean;
  quiet?: boolean;
  nonInteractive?: boolean;
}

export interface Streams {
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
}

/** The printer that the flags ask for. */
export function makePrinter(flags: PrinterFlags, { stdout, stderr }: Streams): Printer {
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

/** `>> log 2>&1`: what went to one went to the other. */
function sameFile(): boolean {
  try {
    const [one, other] = [fstatSync(1), fstatSync(2)];
    return one.ino === other.ino && one.dev === other.dev;
  } catch {
    return false;
  }
}
