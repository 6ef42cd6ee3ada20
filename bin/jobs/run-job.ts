import { text } from 'node:stream/consumers';
import { asBifractError, BifractError, ERROR_EXITS } from '../../src/core/contract/errors.ts';
import type { JobOwner, JobRequest } from '../../src/core/index.ts';
import { defineCommand } from '../command.ts';
import { type Session, withEngine } from '../session.ts';
import { removeEmptyLog } from '../wiring.ts';

/**
 * Internal: the process of a job, started by another bifract process. Reads the request from stdin, reports on stdout
 * whether the job has started, and runs it. It has no terminal; SIGTERM cancels the job.
 */
export const command = defineCommand<{ id: string }>({
  declare(command, choose) {
    command.argument('<id>').action((id: string) => choose({ id }));
  },
  async run({ id }, context) {
    try {
      const { request, by } = await readInput();
      return await withEngine(context, (session) => runRequest(session, id, request), {
        by,
        ignore_hangup: true,
      });
    } catch (thrown) {
      const error = asBifractError(thrown);
      respond({ error: error.report() });
      return error.exitCode;
    } finally {
      // If it fails, the file is removed with the journal.
      await removeEmptyLog(context.flags.dir, id).catch(() => undefined);
    }
  },
});

async function runRequest({ engine, signal }: Session, id: string, request: JobRequest): Promise<number> {
  let responded = false;
  engine.subscribe((event) => {
    if (responded || event.job !== id) return;
    responded = true;
    // With `must_be_visible`, a job that other processes cannot see fails before it starts.
    respond(event.event === 'job:failed' ? { error: event.error } : { ok: true });
  });
  const { outcome } = engine.start(request, { id, must_be_visible: true });
  const cancel = () => engine.cancel(id, signal.reason);
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  const result = await outcome;
  return result.event === 'job:done' ? 0 : (ERROR_EXITS[result.error.code] ?? 1);
}

interface RunnerInput {
  request: JobRequest;
  by: JobOwner;
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

/** Reports to the process that started this one. */
export function respond(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
