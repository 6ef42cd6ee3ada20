import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { CallOptions } from '../ports/types.ts';

const GRACE_MS = 5_000;
const KEPT_LINES = 20;
const PID = /^bifract pid (\d+)$/;
const TABLE = /^pg_restore: processing data for table "(.+)"$/;
const TROUBLE = /^pg_restore: (error|fatal|detail|hint|warning|\[)/;

/** A program that is fed on standard input. */
export interface FedCommand {
  program: string;
  args: string[];
  env: Record<string, string>;
  cwd?: string;
  /** Ends the program where ending the local process is not enough, by the id that it told. */
  endRemote?: (pid: number) => Promise<void>;
}

/** How the program ended. */
export interface FedResult {
  /** It ended by itself, with the exit code that means success. */
  ok: boolean;
  /** The program is not there. */
  missing: boolean;
  /** What it said of trouble, or how it ended. */
  words: string;
  stdout: string;
}

/**
 * Runs the program and feeds it. The input is read to its end even where the program has had enough of it, but
 * not where the program failed. What the input throws is thrown, after the program has been ended.
 */
export async function feed(
  command: FedCommand,
  input: AsyncIterable<Buffer>,
  { signal, onTable }: CallOptions & { onTable?: (table: string) => void } = {},
): Promise<FedResult> {
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
  ended: Promise<FedResult>;
  /** How it ended, once it has. */
  result(): FedResult | undefined;
  /** Id of the remote process; undefined where it ended without telling. */
  pid: Promise<number | undefined>;
  /** Waits where the program is slow; what it does not take any more is dropped. */
  write(piece: Buffer): Promise<void>;
  kill(): void;
}

async function start(command: FedCommand, onTable: ((table: string) => void) | undefined): Promise<Child> {
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
  const messages = listen(child.stderr, onTable);
  let result: FedResult | undefined;
  const ended = child.then(async ({ failed, stdout, shortMessage, code }) => {
    await messages.closed;
    // Only the first line: the rest is the command.
    const words = messages.words() || (shortMessage ?? '').replace(/: .*$/s, '');
    result = { ok: !failed, missing: code === 'ENOENT', words, stdout: stdout ?? '' };
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

function listen(stderr: Readable, onTable: ((table: string) => void) | undefined) {
  const { promise: pid, resolve } = Promise.withResolvers<number | undefined>();
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  const kept: string[] = [];
  let inTrouble = true;
  const lines = createInterface({ input: stderr });
  lines.on('line', (line) => {
    const told = PID.exec(line)?.[1];
    const table = TABLE.exec(line)?.[1];
    if (told !== undefined) return resolve(Number(told));
    if (table !== undefined) return onTable?.(table);
    // A line without the program's name goes on with the one before it, or is of another program.
    if (line.startsWith('pg_restore: ')) inTrouble = TROUBLE.test(line);
    if (!inTrouble || line.trim() === '') return;
    kept.push(line);
    if (kept.length > KEPT_LINES) kept.shift();
  });
  lines.on('close', () => {
    resolve(undefined);
    close();
  });
  return { pid, closed, words: () => kept.join('\n') };
}

async function endChild({ endRemote }: FedCommand, child: Child): Promise<void> {
  if (child.result() === undefined && endRemote) {
    const late = wait(GRACE_MS, undefined, { ref: false });
    const pid = await Promise.race([child.pid, late, child.ended.then(() => undefined)]);
    if (pid !== undefined) await endRemote(pid);
  }
  child.kill();
  child.stdin.destroy();
  await child.ended;
}
