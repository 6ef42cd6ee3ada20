import { BifractError } from '../../src/core/contract/errors.ts';
import { formatBytes, plural } from '../../src/core/text/units.ts';
import type { GlobalFlags } from '../arguments.ts';
import { confirm } from '../ask.ts';
import { copyPlanLines } from '../print/copy.ts';
import type { Printer } from '../printer.ts';
import { withEngine } from '../session.ts';
import type { StorageInvocation } from '../storage-arguments.ts';
import { detachJob } from './detach.ts';
import { runToEnd } from './run-job.ts';

type Invocation = Extract<StorageInvocation, { command: 'copy' }> & { flags: GlobalFlags };

/** Copies files to the other storage. Asks only before deleting originals. */
export function copyCommand(
  { targets, to, move, dry_run, flags }: Invocation,
  printer: Printer,
): Promise<number> {
  return withEngine(flags, async (engine, signal) => {
    const plan = await engine.planCopy(targets, { to, move, signal });
    if (dry_run || !flags.json) printer.list(plan.items, copyPlanLines(plan));
    if (dry_run) return 0;
    const count = plan.items.filter(({ action }) => action === 'copy').length;
    const question = `Copy ${plural(count, 'file')} (${formatBytes(plan.size_bytes)}) and delete the originals?`;
    if (move && count > 0 && !(await confirm(question, flags, signal)))
      throw new BifractError('CANCELLED', 'Nothing was copied');
    if (flags.detach) return detachJob(engine, { kind: 'copy', plan }, printer, signal);
    return runToEnd(engine, { kind: 'copy', plan }, printer, signal);
  });
}
