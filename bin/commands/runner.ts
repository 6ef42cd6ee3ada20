import { fstatSync, rmSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { asBifractError, BifractError, ERROR_EXITS } from '../../src/core/contract/errors.ts';
import type { Engine, JobOwner, JobRequest } from '../../src/core/index.ts';
import type { GlobalFlags } from '../arguments.ts';
import { withEngine } from '../session.ts';
import { runnerLog } from '../wiring.ts';

interface RunnerInput {
  request: JobRequest;
  by: JobOwner;
}

/**
 * The process of a job: reads the request from stdin, reports on stdout whether the job has started, and runs it. It has
 * no terminal; SIGTERM cancels the job.
 */
export async function runnerCommand({ job, flags }: { job: string; flags: GlobalFlags }): Promise<number> {
  try {
    const { request, by } = await readInput();
    return await withEngine(flags, (engine, signal) => runRequest(engine, job, request, signal), {
      by,
      ignore_hangup: true,
    });
  } catch (thrown) {
    const error = asBifractError(thrown);
    respond({ error: error.report() });
    return error.exitCode;
  } finally {
    removeEmpty(runnerLog(flags.dir, job));
  }
}

async function runRequest(
  engine: Engine,
  id: string,
  request: JobRequest,
  signal: AbortSignal,
): Promise<number> {
  let responded = false;
  engine.subscribe((event) => {
    if (responded || event.job !== id) return;
    responded = true;
    // With `must_be_seen`, a job that other processes cannot see fails before it starts.
    respond(event.event === 'job:failed' ? { error: event.error } : { ok: true });
  });
  const { outcome } = engine.start(request, { id, must_be_visible: true });
  const cancel = () => engine.cancel(id, signal.reason);
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  const result = await outcome;
  return result.event === 'job:done' ? 0 : (ERROR_EXITS[result.error.code] ?? 1);
}

async function readInput(): Promise<RunnerInput> {
  try {
    return JSON.parse(process.stdin.isTTY ? '' : await text(process.stdin)) as RunnerInput;
  } catch (cause) {
    throw new BifractError('USAGE', 'run-job is internal: bifract uses it to start the process of a job', {
      hint: 'To run a job in the background, pass --detach to its command.',
      cause,
    });
  }
}

function respond(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

function removeEmpty(path: string): void {
  try {
    if (fstatSync(2).size === 0) rmSync(path, { force: true });
  } catch {
    // It is removed with the journal.
  }
}
