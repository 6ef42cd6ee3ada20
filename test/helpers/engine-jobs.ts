import type { Engine, JobEvent, JobOutcome, JobRequest, SummaryOf } from '../../src/core/index.ts';

/** Runs a job to its end. `onEvent` receives its events. */
export async function runToEnd<Request extends JobRequest>(
  engine: Engine,
  request: Request,
  onEvent: (event: JobEvent, id: string) => void = () => {},
): Promise<JobOutcome<Request['kind']>> {
  const stop = engine.subscribe((event) => onEvent(event, event.job));
  try {
    return await engine.start(request).outcome;
  } finally {
    stop();
  }
}

/** Runs a job and returns its result. Throws if the job fails. */
export async function resultOfJob<Request extends JobRequest>(
  engine: Engine,
  request: Request,
): Promise<SummaryOf<Request['kind']>> {
  const outcome = await runToEnd(engine, request);
  if (outcome.event !== 'job:done') throw new Error(`${outcome.error.code}: ${outcome.error.message}`);
  return outcome.result;
}
