import { ERROR_EXITS } from '../../src/core/errors.ts';
import type { Engine, JobOutcome, JobRequest } from '../../src/core/index.ts';
import type { Invocation } from '../arguments.ts';
import { resultLines } from '../print/results.ts';
import type { Printer } from '../printer.ts';
import { withEngine } from '../session.ts';
import { detachJob } from './detach.ts';
import { findFractal } from './fractal.ts';
import { runJob } from './run-job.ts';

type JobInvocation = Extract<Invocation, { command: 'archive' }>;

/** Runs one job in this process and tells its events as they come. */
export function jobCommand(invocation: JobInvocation, printer: Printer): Promise<number> {
  return withEngine(invocation.flags, async (engine, signal) => {
    const request = await requestOf(invocation, engine, signal);
    if (invocation.flags.detach) return detachJob(engine, request, printer, signal);
    return report(await runJob(engine, request, printer, signal), request, printer);
  });
}

async function requestOf(
  invocation: JobInvocation,
  engine: Engine,
  signal: AbortSignal,
): Promise<JobRequest> {
  const { fractal, fields, split, from, to, fresh } = invocation;
  const { id, name } = await findFractal(engine, fractal, signal);
  return { kind: 'archive', fractal_id: id, fractal_name: name, fields, split, from, to, fresh };
}

function report(outcome: JobOutcome, request: JobRequest, printer: Printer): number {
  if (outcome.event !== 'job:done') {
    printer.failed(outcome.error);
    return ERROR_EXITS[outcome.error.code];
  }
  printer.result(outcome.result, resultLines(request.kind, outcome.result));
  return 0;
}
