import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { CallOptions } from '../../../ports/types.ts';

const GRACE_MS = 5_000;
const MAX_LINES = 20;
const PID = /^bifract pid (\d+)$/;
const TABLE = /^pg_restore: processing data for table "(.+)"$/;
const ERROR = /^pg_restore: (error|fatal|detail|hint|warning|\[)/;

/** How to run a program that reads standard input. */
export interface RestoreCommand {
  program: string;
  args: string[];
  env: Record<string, string>;
  cwd?: string;
  /** Ends the program by the process id that it printed, if ending the local process is not enough. */
  endRemote?: (pid: number) => Promise<void>;
}

/** How the program ended. */
export interface RestoreResult {
  /** It exited by itself with code 0. */
  ok: boolean;
  /** The program does not exist. */
  missing: boolean;
  /** Its error messages, or how it ended. */
  errorText: string;
  stdout: string;
}

/**
 * Runs the program with the input. Reads the input to its end even if the program stops reading, unless it failed. An
 * error of the input is thrown after the program has been ended.
 */
export async function runWithInput(
  command: RestoreCommand,
  input: AsyncIterable<Buffer>,
  { signal, onTable }: CallOptions & { onTable?: (table: string) => void } = {},
): Promise<RestoreResult> {
  signal?.throwIfAborted();
  const child = await start(command, onTable);
  let ending: Promise<void> | undefined;
  const end = () => {
    ending ??= endChild(command, child);
    return ending;
  };
  const onAbort = () => void end();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    for await (const piece of input) {
      if (child.result()?.ok === false) break;
      await child.write(piece);
    }
    signal?.throwIfAborted();
    child.stdin.end();
    const result = await child.ended;
    signal?.throwIfAborted();
    return result;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    await end();
  }
}

interface Child {
  stdin: Writable;
  ended: Promise<RestoreResult>;
  /** Undefined while it is running. */
  result(): RestoreResult | undefined;
  /** Id of the remote process; undefined if it ended without printing it. */
  pid: Promise<number | undefined>;
  /** Waits for a slow program. Discards the data if the program no longer reads. */
  write(piece: Buffer): Promise<void>;
  kill(): void;
}

async function start(
  command: RestoreCommand,
  onTable: ((table: string) => void) | undefined,
): Promise<Child> {
  const { execa } = await import('execa');
  const { program, args, env, cwd } = command;
  const child = execa(program, args, {
    cwd,
    env: { ...env, LC_ALL: 'C' },
    stdin: 'pipe',
    buffer: { stdout: true, stderr: false },
    reject: false,
    forceKillAfterDelay: GRACE_MS,
  });
  const { stdin } = child;
  stdin.on('error', () => undefined);
  const closed = once(stdin, 'close').then(
    () => undefined,
    () => undefined,
  );
  const messages = parseMessages(child.stderr, onTable);
  let result: RestoreResult | undefined;
  const ended = child.then(async ({ failed, stdout, shortMessage, code }) => {
    await messages.closed;
    // The rest is the command line.
    const errorText = messages.errorText() || (shortMessage ?? '').replace(/: .*$/s, '');
    result = { ok: !failed, missing: code === 'ENOENT', errorText, stdout: stdout ?? '' };
    return result;
  });
  return {
    stdin,
    ended,
    result: () => result,
    pid: messages.pid,
    kill: () => void child.kill('SIGTERM'),
    async write(piece) {
      if (stdin.destroyed || stdin.writableEnded || stdin.write(piece)) return;
      await Promise.race([once(stdin, 'drain').catch(() => undefined), closed, ended]);
    },
  };
}

function parseMessages(stderr: Readable, onTable: ((table: string) => void) | undefined) {
  const { promise: pid, resolve } = Promise.withResolvers<number | undefined>();
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  const errors: string[] = [];
  let inError = true;
  const lines = createInterface({ input: stderr });
  lines.on('line', (line) => {
    const printedPid = PID.exec(line)?.[1];
    const table = TABLE.exec(line)?.[1];
    if (printedPid !== undefined) return resolve(Number(printedPid));
    if (table !== undefined) return onTable?.(table);
    // A line without the program's name continues the previous one, or comes from another program.
    if (line.startsWith('pg_restore: ')) inError = ERROR.test(line);
    if (!inError || line.trim() === '') return;
    errors.push(line);
    if (errors.length > MAX_LINES) errors.shift();
  });
  lines.on('close', () => {
    resolve(undefined);
    close();
  });
  return { pid, closed, errorText: () => errors.join('\n') };
}

async function endChild({ endRemote }: RestoreCommand, child: Child): Promise<void> {
  if (child.result() === undefined && endRemote) {
    const timeout = wait(GRACE_MS, undefined, { ref: false });
    const pid = await Promise.race([child.pid, timeout, child.ended.then(() => undefined)]);
    if (pid !== undefined) await endRemote(pid);
  }
  child.kill();
  child.stdin.destroy();
  await child.ended;
}
