/**
 * Protocol of the demo supervisor and its parent: one JSON object per line, commands on the supervisor's stdin, reports on
 * its stdout.
 */

/** A program to run. Secrets go into `env` or files, never into `args`. */
export interface Program {
  name: string;
  command: string;
  args: string[];
  /** The complete environment of the program. */
  env: Record<string, string>;
  /** User to run as; default: the current one. */
  user?: { uid: number; gid: number };
  /** Signal for a clean shutdown. */
  stop_signal: NodeJS.Signals;
}

export type SupervisorCommand =
  | { order: 'start'; program: Program }
  /** Also kill this process and its descendants when the parent is gone. */
  | { order: 'adopt'; pid: number }
  | { order: 'release'; pid: number };

export type SupervisorReport =
  | { report: 'ready'; dir: string }
  | { report: 'started'; name: string; pid: number }
  /** A line of the program's stdout. */
  | { report: 'line'; name: string; text: string }
  | { report: 'ended'; name: string; code: number | null; signal: NodeJS.Signals | null }
  | { report: 'failed'; name: string; message: string };

/** Path of the stderr log of a program. */
export function logFile(dir: string, name: string): string {
  return `${dir}/${name}.log`;
}
