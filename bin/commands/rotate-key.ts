import { BifractError } from '../../src/core/errors.ts';
import type { GlobalFlags } from '../arguments.ts';
import { agrees } from '../ask.ts';
import { rotatePlanLines } from '../print/upkeep.ts';
import type { Printer } from '../printer.ts';
import { withEngine } from '../session.ts';
import { runToEnd } from './run-job.ts';

/** Shows which files are under which key, asks, and puts them under a new one; or goes on with that. */
export function rotateKey(
  { dry_run, flags }: { dry_run: boolean; flags: GlobalFlags },
  printer: Printer,
): Promise<number> {
  return withEngine(flags, async (engine, signal) => {
    const plan = await engine.planRotate({ signal });
    if (dry_run || !flags.json) printer.list(plan.items, rotatePlanLines(plan));
    if (dry_run) return 0;
    const question = plan.resumes
      ? 'Go on with the rotation?'
      : 'Make a new key and put every file under it?';
    if (!(await agrees(question, flags, signal))) throw new BifractError('CANCELLED', 'Nothing was changed');
    return runToEnd(engine, { kind: 'rotate-key', plan }, printer, signal);
  });
}
