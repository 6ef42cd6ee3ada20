import { BifractError } from '../../src/core/contract/errors.ts';
import { plural } from '../../src/core/text/units.ts';
import type { GlobalFlags } from '../arguments.ts';
import { confirm } from '../ask.ts';
import { rotatePlanLines } from '../print/upkeep.ts';
import type { Printer } from '../printer.ts';
import { withEngine } from '../session.ts';
import { runToEnd } from './run-job.ts';

/** Plans, asks, rotates the key; or resumes an interrupted rotation. */
export function rotateKey(
  { dry_run, flags }: { dry_run: boolean; flags: GlobalFlags },
  printer: Printer,
): Promise<number> {
  return withEngine(flags, async (engine, signal) => {
    const plan = await engine.planRotate({ signal });
    if (dry_run || !flags.json) printer.list(plan.items, rotatePlanLines(plan));
    if (dry_run) return 0;
    const files = plural(plan.items.filter(({ action }) => action === 'reencrypt').length, 'file');
    const question = plan.resumes
      ? `Resume the rotation and re-encrypt ${files}?`
      : `Generate a new key and re-encrypt ${files}?`;
    if (!(await confirm(question, flags, signal))) throw new BifractError('CANCELLED', 'Nothing was changed');
    return runToEnd(engine, { kind: 'rotate-key', plan }, printer, signal);
  });
}
