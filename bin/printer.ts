import { fstatSync } from 'node:fs';
import type { ErrorReport, JobEvent } from '../src/core/index.ts';
import { jsonPrinter } from './print/json.ts';
import { linePrinter } from './print/line.ts';
import { logPrinter } from './print/log.ts';

/** The output of a command. */
export interface Printer {
  /** An event of a job. */
  event(event: JobEvent): void;
  /** A result: an object for programs, the same as lines for people, and `brief` lines for quiet output. */
  result(value: object, lines: string[], brief?: string[]): void;
  /** One of several results of a job, for people only: programs get its event. */
  item(lines: string[]): void;
  /** A list: objects for programs, the lines of a table for people. */
  list(values: object[], lines: string[]): void;
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

/** Chooses the printer by the flags. */
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

/** Whether stdout and stderr are the same file, as after `>> log 2>&1`. */
function sameFile(): boolean {
  try {
    const [one, other] = [fstatSync(1), fstatSync(2)];
    return one.ino === other.ino && one.dev === other.dev;
  } catch {
    return false;
  }
}
