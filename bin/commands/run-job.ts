import type { Engine, JobOutcome, JobRequest } from '../../src/core/index.ts';
import { itemLines } from '../print/items.ts';
import type { Printer } from '../printer.ts';

/**
 * Runs one job in this process and tells its events as they come; what it says of single items is a result.
 * The signal cancels it with its reason.
 */
export async function runJob(
  engine: Engine,
  request: JobRequest,
  printer: Printer,
  signal: AbortSignal,
): Promise<JobOutcome> {
  const stop = engine.subscribe((event) => {
    printer.event(event);
    if (event.event === 'job:item') printer.item(itemLines(event));
  });
  const job = engine.start(request);
  const cancel = () => engine.cancel(job.id, signal.reason);
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  try {
    return await job.outcome;
  } finally {
    signal.removeEventListener('abort', cancel);
    stop();
  }
}
