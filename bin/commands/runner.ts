import { fstatSync, rmSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { asBifractError, BifractError, ERROR_EXITS } from '../../src/core/errors.ts';
import type { Engine, JobOwner, JobRequest } from '../../src/core/index.ts';
import type { GlobalFlags } from '../arguments.ts';
import { withEngine } from '../session.ts';
import { runnerLog } from '../wiring.ts';

interface Order {
  request: JobRequest;
  by: JobOwner;
}

/**
 * The process of a job: takes the order from its standard input, says there whether the job has begun, and runs it to
 * its end. No terminal reaches it; SIGTERM cancels the job.
 */
export async function runnerCommand({ job, flags }: { job: string; flags: GlobalFlags }): Promise<number> {
  try {
    const { request, by } = await readOrder();
    return await withEngine(flags, (engine, signal) => runOrdered(engine, job, request, signal), {
      by,
      ignore_hangup: true,
    });
  } catch (thrown) {
    const error = asBifractError(thrown);
    answer({ error: error.report() });
    return error.exitCode;
  } finally {
    removeEmpty(runnerLog(flags.dir, job));
  }
}

async function runOrdered(
  engine: Engine,
  id: string,
  request: JobRequest,
  signal: AbortSignal,
): Promise<number> {
  let told = false;
  engine.subscribe((event) => {
    if (told || event.job !== id) return;
    told = true;
    // A job that nobody can see fails before it has begun.
    answer(event.event === 'job:failed' ? { error: event.error } : { ok: true });
  });
  const { outcome } = engine.start(request, { id, must_be_seen: true });
  const cancel = () => engine.cancel(id, signal.reason);
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  const end = await outcome;
  return end.event === 'job:done' ? 0 : (ERROR_EXITS[end.error.code] ?? 1);
}

async function readOrder(): Promise<Order> {
  try {
    return JSON.parse(process.stdin.isTTY ? '' : await text(process.stdin)) as Order;
  } catch (cause) {
    throw new BifractError('USAGE', 'This command is how bifract starts the process of a job', {
      hint: 'Give --detach to the command that makes the job.',
      cause,
    });
  }
}

function answer(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** A log that says nothing is not kept. */
function removeEmpty(path: string): void {
  try {
    if (fstatSync(2).size === 0) rmSync(path, { force: true });
  } catch {
    // It is forgotten with the journal.
  }
}
