import { ERROR_EXITS } from '../../src/core/errors.ts';
import type { Engine, JobKind, JobOutcome, JobRequest } from '../../src/core/index.ts';
import { itemLines } from '../print/items.ts';
import { summaryLines } from '../print/summaries.ts';
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

/** Runs one job in this process and prints what it did or why it failed. Returns the exit code. */
export async function runToEnd(
  engine: Engine,
  request: JobRequest,
  printer: Printer,
  signal: AbortSignal,
): Promise<number> {
  return tellEnd(await runJob(engine, request, printer, signal), request.kind, printer);
}

/** Prints how a job ended. Returns the exit code. */
export function tellEnd(end: JobOutcome, kind: JobKind | undefined, printer: Printer): number {
  if (end.event === 'job:done') {
    printer.result(end.result, summaryLines(kind, end.result));
    return 0;
  }
  printer.failed(end.error);
  return ERROR_EXITS[end.error.code] ?? 1;
}
