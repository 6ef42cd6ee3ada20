/**
 * What the keeper and its parent say to each other: one JSON object a line, orders on the keeper's standard
 * input, reports on its standard output.
 */

/** A program that the keeper runs. Secrets go into `env` or files, never into `args`. */
export interface Program {
  name: string;
  command: string;
  args: string[];
  /** The whole environment of the program. */
  env: Record<string, string>;
  /** Whom to run as; left out: as ourselves. */
  user?: { uid: number; gid: number };
  /** What ends the program well. */
  stop_signal: NodeJS.Signals;
}

export type Order =
  | { order: 'start'; program: Program }
  /** End this process (and what it started) too, should the parent be gone. */
  | { order: 'adopt'; pid: number }
  | { order: 'release'; pid: number };

export type Report =
  | { report: 'ready'; dir: string }
  | { report: 'started'; name: string; pid: number }
  /** A line of the program's standard output. */
  | { report: 'line'; name: string; text: string }
  | { report: 'ended'; name: string; code: number | null; signal: NodeJS.Signals | null }
  | { report: 'failed'; name: string; message: string };

/** Where the keeper writes the standard error of a program. */
export function logFile(dir: string, name: string): string {
  return `${dir}/${name}.log`;
}
