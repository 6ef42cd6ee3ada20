import { BifractError, ERROR_EXITS } from '../../src/core/contract/errors.ts';
import type { AdoptPlan } from '../../src/core/index.ts';
import { summaryRows } from '../../src/core/index.ts';
import { plural } from '../../src/core/text/units.ts';
import type { GlobalFlags } from '../arguments.ts';
import { confirm } from '../ask.ts';
import type { FileInvocation } from '../file-arguments.ts';
import { adoptPlanLines } from '../print/orphans.ts';
import { rowLines } from '../print/rows.ts';
import type { Printer } from '../printer.ts';
import { withEngine } from '../session.ts';
import { runJob } from './run-job.ts';

type AdoptInvocation = Extract<FileInvocation, { command: 'adopt' }> & { flags: GlobalFlags };

/** Plans, asks, adopts. */
export function adoptCommand(invocation: AdoptInvocation, printer: Printer): Promise<number> {
  const { files, dry_run, create_fractals, flags } = invocation;
  return withEngine(flags, async (engine, signal) => {
    const named = files.length > 0;
    const plan = await engine.planAdopt(named ? files : undefined, { create_fractals, signal });
    const chosen = plan.items.filter(({ action }) => action === 'adopt');
    if (dry_run || !flags.json) printer.list(plan.items, adoptPlanLines(plan));
    if (dry_run) return 0;
    if (named) requireAdoptable(plan);
    if (chosen.length === 0) return 0;
    const question = `Read ${plural(chosen.length, 'file')} and recreate the records?`;
    if (!(await confirm(question, flags, signal))) throw new BifractError('CANCELLED', 'Nothing was changed');
    const outcome = await runJob(engine, { kind: 'adopt', plan }, printer, signal);
    if (outcome.event !== 'job:done') {
      printer.failed(outcome.error);
      return ERROR_EXITS[outcome.error.code];
    }
    printer.result(outcome.result, rowLines(summaryRows('adopt', outcome.result)));
    return named && chosen.length < plan.items.length ? ERROR_EXITS.PARTLY_DONE : 0;
  });
}

/** Throws `NOT_FOUND` if none of the named files can be adopted. */
function requireAdoptable({ items }: AdoptPlan): void {
  if (items.some(({ action }) => action === 'adopt')) return;
  const reasons = items.map(({ path, reason }) => `${path}: ${reason}`);
  throw new BifractError('NOT_FOUND', `Nothing to adopt: ${reasons.join('; ')}`);
}
