import { ERROR_EXITS } from '../../src/core/contract/errors.ts';
import type { Engine } from '../../src/core/index.ts';
import { summaryRows } from '../../src/core/index.ts';
import type { GlobalFlags } from '../arguments.ts';
import { runDueVariables } from '../hook.ts';
import { RUN_DUE_METRICS } from '../metrics.ts';
import { failedStart, notify } from '../notify.ts';
import { rowLines } from '../print/rows.ts';
import { dueLines } from '../print/schedule.ts';
import type { Printer } from '../printer.ts';
import type { ScheduleInvocation } from '../schedule-arguments.ts';
import { withEngine } from '../session.ts';
import { runJob } from './run-job.ts';

type Invocation = Extract<ScheduleInvocation, { command: 'run-due' }> & { flags: GlobalFlags };

const NOTIFICATIONS = { metrics: RUN_DUE_METRICS, variables: runDueVariables };

/** Archives what is due, then notifies. A failed notification fails the command, not the archives. */
export async function runDueCommand(invocation: Invocation, printer: Printer): Promise<number> {
  let started = false;
  try {
    return await withEngine(invocation.flags, (engine, signal) => {
      started = true;
      return invocation.dry_run
        ? show(engine, invocation, printer, signal)
        : runDue(engine, invocation, printer, signal);
    });
  } catch (thrown) {
    if (!started && !invocation.dry_run)
      await notify(failedStart(thrown, 'run-due'), invocation, printer, NOTIFICATIONS);
    throw thrown;
  }
}

async function show(
  engine: Engine,
  { mode }: Invocation,
  printer: Printer,
  signal: AbortSignal,
): Promise<number> {
  const items = await engine.planDue({ mode, signal });
  printer.list(items, dueLines(items));
  return 0;
}

async function runDue(
  engine: Engine,
  invocation: Invocation,
  printer: Printer,
  signal: AbortSignal,
): Promise<number> {
  const request = { kind: 'run-due' as const, mode: invocation.mode };
  const outcome = await runJob(engine, request, printer, signal);
  if (outcome.event === 'job:done') {
    printer.result(outcome.result, rowLines(summaryRows('run-due', outcome.result)));
    return notify(outcome, invocation, printer, NOTIFICATIONS);
  }
  printer.failed(outcome.error);
  await notify(outcome, invocation, printer, NOTIFICATIONS);
  return ERROR_EXITS[outcome.error.code];
}
