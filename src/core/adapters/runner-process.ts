import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import { join } from 'node:path';
import { BifractError, type ErrorReport } from '../errors.ts';
import type { JobOrder, JobStarter } from '../ports/job-starter.ts';
import { boundedLines } from './bounded-lines.ts';
import { onDisk } from './disk-errors.ts';
import { makePrivateFolder } from './env-writer.ts';
import { parseObject } from './read-journal.ts';

const MOST_ANSWER_BYTES = 64 << 10;
/** A machine that takes longer to start a process has other troubles. */
const START_MS = 60_000;

/**
 * Starts this program again for each job, in a session of its own: no terminal, no hang-up, no end of its starter
 * reaches it. The order goes over its standard input: arguments can be seen by everybody.
 */
export class RunnerProcess implements JobStarter {
  readonly #install: string;
  readonly #command: readonly string[];

  /** `command` is what starts this program, before its own arguments. */
  constructor(install: string, command: readonly string[]) {
    this.#install = install;
    this.#command = command;
  }

  async start(id: string, order: JobOrder): Promise<void> {
    const home = join(this.#install, '.bifract');
    for (const folder of [home, join(home, 'journal')]) await makePrivateFolder(folder);
    const path = runnerLog(this.#install, id);
    await using log = await onDisk(`Cannot write ${path}`, () => fs.open(path, 'a', 0o600));
    const [program = process.execPath, ...args] = this.#command;
    const child = spawn(program, [...args, 'run-job', id, '--dir', this.#install], {
      detached: true,
      stdio: ['pipe', 'pipe', log.fd],
    });
    try {
      await begin(child, order, path);
    } finally {
      child.unref();
      child.stdin?.destroy();
      child.stdout?.destroy();
    }
  }
}

/** Where the process of a job writes what it cannot tell as an event: only what it dies of. */
export function runnerLog(install: string, id: string): string {
  return join(install, '.bifract', 'journal', `${id}.log`);
}

async function begin(child: ChildProcess, order: JobOrder, log: string): Promise<void> {
  const failed = once(child, 'error').then(([cause]) => {
    throw new BifractError('INTERNAL', `The process of the job cannot be started: ${cause.message}`, {
      cause,
    });
  });
  const answered = answerOf(child, order);
  // Whichever is not waited for any more must not end this process.
  for (const one of [failed, answered]) one.catch(() => undefined);
  const answer = await Promise.race([answered, failed]);
  if (answer?.ok === true) return;
  const { code, message, hint } = (answer?.error ?? {}) as Partial<ErrorReport>;
  if (code !== undefined && message !== undefined) throw new BifractError(code, message, { hint });
  throw new BifractError('INTERNAL', 'The process of the job ended before the job began', {
    hint: `What it said is in ${log}.`,
  });
}

async function answerOf({ stdin, stdout }: ChildProcess, order: JobOrder) {
  if (!stdin || !stdout) return undefined;
  stdin.on('error', () => undefined);
  stdin.end(JSON.stringify(order));
  const late = setTimeout(() => stdout.destroy(), START_MS);
  try {
    for await (const line of boundedLines(stdout, MOST_ANSWER_BYTES)) return parseObject(line);
  } finally {
    clearTimeout(late);
  }
  return undefined;
}
