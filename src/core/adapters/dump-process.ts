import type { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { BifractError } from '../errors.ts';
import type { CallOptions } from '../ports/types.ts';
import { untilAbort } from './abort.ts';
import { DumpMessages } from './dump-messages.ts';

const GRACE_MS = 3_000;

/** How pg_dump is run: the program, its arguments, and what is added to its environment. */
export interface DumpCommand {
  /** For people: which program, where. */
  location: string;
  program: string;
  args: string[];
  env: Record<string, string>;
  cwd?: string;
  /** Ends the program where ending the local process is not enough, by the id that it told. */
  endRemote?: (pid: number) => Promise<void>;
}

/**
 * The output of the command. Throws `DUMP_FAILED` unless it ended well, also when that shows only after its
 * last byte. When the reader stops, or the signal aborts, the program ends, wherever it runs.
 */
export async function* dumpOutput(
  command: DumpCommand,
  { signal, onTable }: CallOptions & { onTable?: (table: string) => void },
): AsyncGenerator<Buffer> {
  signal?.throwIfAborted();
  const child = await start(command);
  const messages = new DumpMessages(child.stderr, onTable);
  let ending: Promise<void> | undefined;
  const end = () => {
    ending ??= endChild(command, child, messages);
    return ending;
  };
  // A reader that waits for a slow disk does not come back soon: the program ends meanwhile.
  const onAbort = () => void end();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    yield* untilAbort<Buffer>(child.stdout, signal);
    const failure = await child.failure;
    signal?.throwIfAborted();
    if (failure !== undefined) throw dumpFailed(command, failure, messages);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    await end();
  }
}

interface Child {
  stdout: Readable;
  stderr: Readable;
  /** How it failed; undefined once it ended well. Never rejects. */
  failure: Promise<Failure | undefined>;
  kill(): void;
}

interface Failure {
  message: string;
  /** The program is not there. */
  missing: boolean;
}

async function start({ program, args, env, cwd }: DumpCommand): Promise<Child> {
  const { execa } = await import('execa');
  const child = execa(program, args, {
    cwd,
    env: { ...env, LC_ALL: 'C' },
    stdin: 'ignore',
    buffer: false,
    encoding: 'buffer',
    reject: false,
    forceKillAfterDelay: GRACE_MS,
  });
  const failure = child.then(
    (result) =>
      result.failed ? { message: result.shortMessage ?? '', missing: result.code === 'ENOENT' } : undefined,
    (error: unknown) => ({ message: String(error), missing: false }),
  );
  return { stdout: child.stdout, stderr: child.stderr, failure, kill: () => void child.kill('SIGTERM') };
}

async function endChild({ endRemote }: DumpCommand, child: Child, messages: DumpMessages): Promise<void> {
  if (endRemote) {
    const gone = child.failure.then(() => undefined);
    const late = wait(GRACE_MS, undefined, { ref: false });
    const pid = await Promise.race([messages.pid, gone, late]);
    if (pid !== undefined) await endRemote(pid);
  }
  child.kill();
  child.stdout.destroy();
  await child.failure;
}

function dumpFailed(
  { location }: DumpCommand,
  { message, missing }: Failure,
  messages: DumpMessages,
): BifractError {
  if (missing)
    return new BifractError('PROGRAM_MISSING', `${location} cannot be started`, {
      hint: 'It was there a moment ago: try again.',
    });
  const reason = messages.trouble() || firstLine(message);
  return new BifractError('DUMP_FAILED', `${location} failed: ${reason}`, {
    hint: 'Nothing was stored. See the message above; the log of PostgreSQL may say more.',
  });
}

/** The message of a child without its command line, which is of no use to anybody. */
function firstLine(message: string): string {
  return message.replace(/: .*$/s, '');
}
