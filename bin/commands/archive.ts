import type { Engine, JobRequest } from '../../src/core/index.ts';
import type { Invocation } from '../arguments.ts';
import type { Printer } from '../printer.ts';
import { withEngine } from '../session.ts';
import { detachJob } from './detach.ts';
import { findFractal } from './fractal.ts';
import { runToEnd } from './run-job.ts';

type ArchiveInvocation = Extract<Invocation, { command: 'archive' }>;

/** Archives a fractal. */
export function archiveCommand(invocation: ArchiveInvocation, printer: Printer): Promise<number> {
  return withEngine(invocation.flags, async (engine, signal) => {
    const request = await requestOf(invocation, engine, signal);
    if (invocation.flags.detach) return detachJob(engine, request, printer, signal);
    return runToEnd(engine, request, printer, signal);
  });
}

async function requestOf(
  invocation: ArchiveInvocation,
  engine: Engine,
  signal: AbortSignal,
): Promise<JobRequest> {
  const { fractal, fields, split, from, to, fresh } = invocation;
  const { id, name } = await findFractal(engine, fractal, signal);
  return { kind: 'archive', fractal_id: id, fractal_name: name, fields, split, from, to, fresh };
}
