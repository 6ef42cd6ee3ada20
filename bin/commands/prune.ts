import { BifractError, ERROR_EXITS } from '../../src/core/errors.ts';
import type { Engine } from '../../src/core/index.ts';
import type { PruneSummary } from '../../src/core/jobs/prune.ts';
import type { KeepRule, PrunePlan } from '../../src/core/upkeep.ts';
import type { GlobalFlags } from '../arguments.ts';
import { agrees } from '../ask.ts';
import { prunePlanLines, pruneSummaryLines } from '../print/upkeep.ts';
import type { Printer } from '../printer.ts';
import { withEngine } from '../session.ts';
import type { UpkeepInvocation } from '../upkeep-arguments.ts';
import { runJob } from './run-job.ts';

type Invocation = Extract<UpkeepInvocation, { command: 'prune' }> & { flags: GlobalFlags };

/** Shows what goes, asks, deletes it. */
export function pruneCommand({ rule, dry_run, flags }: Invocation, printer: Printer): Promise<number> {
  return withEngine(flags, async (engine, signal) => {
    const plan = await engine.planPrune(rule, { signal });
    const going = plan.items.filter(({ action }) => action === 'delete').length;
    if (dry_run || !flags.json) printer.list(plan.items, prunePlanLines(plan));
    if (dry_run || going === 0) return 0;
    const question = `Delete ${going === 1 ? 'this backup' : `these ${going} backups`} for good?`;
    if (!(await agrees(question, flags, signal))) throw new BifractError('CANCELLED', 'Nothing was deleted');
    return execute(engine, plan, printer, signal);
  });
}

/** Retention at the end of a backup: asked for with it, so that nobody is asked again. */
export async function pruneAfter(
  engine: Engine,
  rule: KeepRule,
  printer: Printer,
  signal: AbortSignal,
): Promise<number> {
  return execute(engine, await engine.planPrune(rule, { signal }), printer, signal);
}

async function execute(
  engine: Engine,
  plan: PrunePlan,
  printer: Printer,
  signal: AbortSignal,
): Promise<number> {
  const outcome = await runJob(engine, { kind: 'prune', plan }, printer, signal);
  if (outcome.event !== 'job:done') {
    printer.failed(outcome.error);
    return ERROR_EXITS[outcome.error.code];
  }
  printer.result(outcome.result, pruneSummaryLines(outcome.result as unknown as PruneSummary));
  return 0;
}
