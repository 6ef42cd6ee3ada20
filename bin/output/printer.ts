import type { ErrorReport, JobEvent } from '../../src/core/index.ts';

/** The output of a command. */
export interface Printer {
  /** An event of a job; the outcome of one of its items is printed as text too. */
  event(event: JobEvent): void;
  /** A result: an object for programs, the same as human-readable lines, and `brief` lines for quiet output. */
  result(value: object, lines: string[], brief?: string[]): void;
  /** A list: objects for programs, the lines of a table as text. */
  list(values: object[], lines: string[]): void;
  failed(error: ErrorReport): void;
}
