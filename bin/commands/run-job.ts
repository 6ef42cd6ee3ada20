import { ERROR_EXITS } from '../../src/core/contract/errors.ts';
import { type Engine, type JobOutcome, type JobRequest, summaryRows } from '../../src/core/index.ts';
import { itemLines } from '../print/items.ts';
import { rowLines } from '../print/rows.ts';
import type { Printer } from '../printer.ts';

/**
 * Runs a job in this process and prints its events and items. The signal cancels it with its reason.
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

/** Runs a job in this process and prints its outcome. Returns the exit code. */
export async function runToEnd(
  engine: Engine,
  request: JobRequest,
  printer: Printer,
  signal: AbortSignal,
): Promise<number> {
  return printOutcome(await runJob(engine, request, printer, signal), request.kind, printer);
}

/** Prints the outcome of a job. Returns the exit code. */
export function printOutcome(outcome: JobOutcome, kind: string | undefined, printer: Printer): number {
  if (outcome.event === 'job:done') {
    printer.result(outcome.result, rowLines(summaryRows(kind ?? '', outcome.result)));
    return 0;
  }
  printer.failed(outcome.error);
  return ERROR_EXITS[outcome.error.code] ?? 1;
}
