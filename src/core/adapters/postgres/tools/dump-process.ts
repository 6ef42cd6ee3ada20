import type { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { BifractError } from '../../../contract/errors.ts';
import type { CallOptions } from '../../../ports/types.ts';
import { untilAbort } from '../../abort.ts';
import { DumpMessages } from './dump-messages.ts';

const GRACE_MS = 3_000;

/** How to run pg_dump: program, arguments and additional environment. */
export interface DumpCommand {
  /** For display: which program, and where. */
  location: string;
  program: string;
  args: string[];
  env: Record<string, string>;
  cwd?: string;
  /** Ends the program by the process id that it printed, if ending the local process is not enough. */
  endRemote?: (pid: number) => Promise<void>;
}

/**
 * The output of the command. Throws `DUMP_FAILED` unless the program succeeded, even if it fails after its last byte.
 * When the reader stops or the signal aborts, the program is ended, in a container too.
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
  // End the program on abort even while the reader is blocked by a slow disk.
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
  /** How it failed; undefined if it succeeded. Never rejects. */
  failure: Promise<Failure | undefined>;
  kill(): void;
}

interface Failure {
  message: string;
  /** The program does not exist. */
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
    const exited = child.failure.then(() => undefined);
    const timeout = wait(GRACE_MS, undefined, { ref: false });
    const pid = await Promise.race([messages.pid, exited, timeout]);
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
    return new BifractError('PROGRAM_MISSING', `Cannot start ${location}`, {
      hint: 'The program is gone. Check the installation of the PostgreSQL client programs, then try again.',
    });
  const reason = messages.errorText() || firstLine(message);
  return new BifractError('DUMP_FAILED', `${location} failed: ${reason}`, {
    hint: 'Nothing was stored. See the message above and the PostgreSQL log.',
  });
}

/** The message without the command line. */
function firstLine(message: string): string {
  return message.replace(/: .*$/s, '');
}
