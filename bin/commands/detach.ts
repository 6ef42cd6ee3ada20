import { ERROR_EXITS } from '../../src/core/contract/errors.ts';
import type { Engine, JobOutcome, JobRequest } from '../../src/core/index.ts';
import type { Printer } from '../printer.ts';

/** How long to wait for an early failure. */
const EARLY_FAILURE_MS = 1_000;

/** Starts a job in a process of its own and prints its ID. A job that fails at once fails the command. */
export async function detachJob(
  engine: Engine,
  request: JobRequest,
  printer: Printer,
  signal: AbortSignal,
): Promise<number> {
  const job = await engine.detach(request);
  const failure = await earlyFailure(
    engine,
    job,
    AbortSignal.any([signal, AbortSignal.timeout(EARLY_FAILURE_MS)]),
  );
  if (failure) {
    printer.failed(failure.error);
    return ERROR_EXITS[failure.error.code] ?? 1;
  }
  const lines = [
    `${job} is running in the background.`,
    `Follow it with \`bifract attach ${job}\`, or cancel it with \`bifract cancel ${job}\`.`,
  ];
  printer.result({ job }, lines, [job]);
  return 0;
}

type Failure = Extract<JobOutcome, { event: 'job:failed' | 'job:cancelled' }>;

async function earlyFailure(engine: Engine, job: string, signal: AbortSignal): Promise<Failure | undefined> {
  try {
    for await (const event of engine.follow(job, { signal })) {
      if (event.event === 'job:failed' || event.event === 'job:cancelled') return event;
      if (event.event !== 'job:started') return undefined;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return undefined;
}
