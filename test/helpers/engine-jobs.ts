import type { Engine, JobEvent, JobOutcome, JobRequest } from '../../src/core/index.ts';

/** Runs a job to its end; `onEvent` is told each of its events. */
export async function runToEnd(
  engine: Engine,
  request: JobRequest,
  onEvent: (event: JobEvent, id: string) => void = () => {},
): Promise<JobOutcome> {
  const stop = engine.subscribe((event) => onEvent(event, event.job));
  try {
    return await engine.start(request).outcome;
  } finally {
    stop();
  }
}

/** What a job that must succeed results in. */
export async function result<Summary>(engine: Engine, request: JobRequest): Promise<Summary> {
  const outcome = await runToEnd(engine, request);
  if (outcome.event !== 'job:done') throw new Error(`${outcome.error.code}: ${outcome.error.message}`);
  return outcome.result as Summary;
}
