import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { BifractError, type ErrorReport } from '../../contract/errors.ts';
import type { JobLauncher, LaunchRequest } from '../../ports/job-launcher.ts';
import { makeState, onState, openState } from '../state/open-state.ts';
import { boundedLines } from './bounded-lines.ts';
import { parseObject } from './entry.ts';

const MAX_RESPONSE_BYTES = 64 << 10;
/** Time limit for a job's process to start. */
const START_TIMEOUT_MS = 60_000;

/**
 * Starts this program again for each job, in its own session, so that it outlives the terminal and this process. The
 * request is passed on stdin: other users can read arguments.
 */
export class ProcessLauncher implements JobLauncher {
  readonly #install: string;
  readonly #command: readonly string[];

  /** `command` starts this program, without its own arguments. */
  constructor(install: string, command: readonly string[]) {
    this.#install = install;
    this.#command = command;
  }

  start(id: string, request: LaunchRequest): Promise<void> {
    return this.#start(['run-job', id], logName(id), request);
  }

  startQueue(): Promise<void> {
    return this.#start(['run-queue'], QUEUE_LOG, {});
  }

  /** Starts this program and waits for its response. `name` is that of the file for its stderr. */
  async #start(command: string[], name: string, input: object): Promise<void> {
    const path = join(this.#install, '.bifract', 'journal', name);
    await using log = await onState(`Cannot write ${path}`, async () => {
      await using folder = await makeState(this.#install, 'journal');
      return await folder.openLog(name);
    });
    const [program = process.execPath, ...args] = this.#command;
    const child = spawn(program, [...args, ...command, '--dir', this.#install], {
      detached: true,
      stdio: ['pipe', 'pipe', log.fd],
    });
    try {
      await waitForStart(child, input, path);
    } finally {
      child.unref();
      child.stdin?.destroy();
      child.stdout?.destroy();
    }
  }
}

/** Name of the file with the stderr of a job's process. Empty unless it crashes. */
export function logName(id: string): string {
  return `${id}.log`;
}

const QUEUE_LOG = 'queue.log';

/** Removes that file if it is empty; without an id, that of the process that runs the queue. */
export async function removeEmptyLog(install: string, id?: string): Promise<void> {
  const name = id === undefined ? QUEUE_LOG : logName(id);
  await using folder = await openState(install, 'journal');
  const found = await folder?.lstat(name);
  if (found?.isFile() && found.size === 0) await folder?.unlink(name);
}

async function waitForStart(child: ChildProcess, request: object, log: string): Promise<void> {
  const failed = once(child, 'error').then(([cause]) => {
    throw new BifractError('INTERNAL', `Cannot start the process of the job: ${cause.message}`, {
      cause,
    });
  });
  const responded = readResponse(child, request);
  // The later of the two must not become an unhandled rejection.
  for (const one of [failed, responded]) one.catch(() => undefined);
  const response = await Promise.race([responded, failed]);
  if (response?.ok === true) return;
  // It must not start later: the caller does something else instead.
  if (response === undefined) child.kill('SIGKILL');
  const { code, message, hint } = (response?.error ?? {}) as Partial<ErrorReport>;
  if (code !== undefined && message !== undefined) throw new BifractError(code, message, { hint });
  throw new BifractError('INTERNAL', 'The process ended before the job started', {
    hint: `Its output is in ${log}.`,
  });
}

async function readResponse({ stdin, stdout }: ChildProcess, request: object) {
  if (!stdin || !stdout) return undefined;
  stdin.on('error', () => undefined);
  stdin.end(JSON.stringify(request));
  const timeout = setTimeout(() => stdout.destroy(), START_TIMEOUT_MS);
  try {
    for await (const line of boundedLines(stdout, MAX_RESPONSE_BYTES)) return parseObject(line);
  } finally {
    clearTimeout(timeout);
  }
  return undefined;
}
