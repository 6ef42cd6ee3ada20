import { BifractError } from '../../src/core/contract/errors.ts';
import type { DeletePlan } from '../../src/core/index.ts';
import { formatBytes, plural } from '../../src/core/text/units.ts';
import type { GlobalFlags } from '../arguments.ts';
import { confirm } from '../ask.ts';
import { deletePlanLines } from '../print/deletion.ts';
import type { Printer } from '../printer.ts';
import { withEngine } from '../session.ts';
import type { StorageInvocation } from '../storage-arguments.ts';
import { runToEnd } from './run-job.ts';

type Invocation = Extract<StorageInvocation, { command: 'delete' }> & { flags: GlobalFlags };

/** Plans, asks, deletes. */
export function deleteCommand(invocation: Invocation, printer: Printer): Promise<number> {
  const { kind, ids, dry_run, last_backup, flags } = invocation;
  return withEngine(flags, async (engine, signal) => {
    const targets = ids.map((id) => ({ kind, id }));
    const plan = await engine.planDelete(targets, { last_backup, signal });
    if (dry_run || !flags.json) printer.list(plan.items, deletePlanLines(plan));
    if (dry_run) return 0;
    const count = plan.items.filter(({ action }) => action === 'delete').length;
    if (count > 0 && !(await confirm(question(plan, count), flags, signal)))
      throw new BifractError('CANCELLED', 'Nothing was deleted');
    return runToEnd(engine, { kind: 'delete', plan }, printer, signal);
  });
}

function question({ items, freed_bytes }: DeletePlan, count: number): string {
  const rest = count < items.length ? ` and keep ${items.length - count}` : '';
  return `Delete ${plural(count, 'item')} (${formatBytes(freed_bytes)})${rest}?`;
}
