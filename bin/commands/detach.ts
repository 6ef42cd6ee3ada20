import { ERROR_EXITS } from '../../src/core/errors.ts';
import type { Engine, JobOutcome, JobRequest } from '../../src/core/index.ts';
import type { Printer } from '../printer.ts';

/** How long to wait for what fails at once. */
const FIRST_MS = 1_000;

/** Leaves a job to a process of its own, and tells its id once it has begun. What fails at once fails here. */
export async function detachJob(
  engine: Engine,
  request: JobRequest,
  printer: Printer,
  signal: AbortSignal,
): Promise<number> {
  const job = await engine.detach(request);
  const failure = await failsAtOnce(engine, job, AbortSignal.any([signal, AbortSignal.timeout(FIRST_MS)]));
  if (failure) {
    printer.failed(failure.error);
    return ERROR_EXITS[failure.error.code] ?? 1;
  }
  const lines = [
    `${job} runs in the background.`,
    `\`bifract attach ${job}\` shows it, \`bifract cancel ${job}\` ends it.`,
  ];
  printer.result({ job }, lines, [job]);
  return 0;
}

type Failure = Extract<JobOutcome, { event: 'job:failed' | 'job:cancelled' }>;

async function failsAtOnce(engine: Engine, job: string, signal: AbortSignal): Promise<Failure | undefined> {
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
