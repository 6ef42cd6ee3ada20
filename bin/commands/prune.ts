import { plural } from '../../src/components/view/units.ts';
import { asBifractError, BifractError } from '../../src/core/errors.ts';
import type { DeletePlan, Engine } from '../../src/core/index.ts';
import type { KeepRule, PrunePlan } from '../../src/core/upkeep.ts';
import type { GlobalFlags } from '../arguments.ts';
import { agrees } from '../ask.ts';
import { deletePlanLines } from '../print/deletion.ts';
import { prunePlanLines } from '../print/upkeep.ts';
import type { Printer } from '../printer.ts';
import { withEngine } from '../session.ts';
import type { UpkeepInvocation } from '../upkeep-arguments.ts';
import { runToEnd } from './run-job.ts';

type Invocation = Extract<UpkeepInvocation, { command: 'prune' }> & { flags: GlobalFlags };

/**
 * Shows what goes, asks, deletes it: backups by the rule, where there is one, and scheduled archives beyond
 * `max_archives`. Where these cannot be looked at, the backups have their turn all the same.
 */
export function pruneCommand({ rule, dry_run, flags }: Invocation, printer: Printer): Promise<number> {
  return withEngine(flags, async (engine, signal) => {
    const backups = hasRule(rule) ? await engine.planPrune(rule, { signal }) : undefined;
    const archives = await planArchives(engine, printer, signal);
    if (dry_run || !flags.json) show(backups, archives.plan, printer);
    const [files, records] = [going(backups), going(archives.plan)];
    if (dry_run || files + records === 0) return archives.exit;
    if (!(await agrees(question(files, records), flags, signal)))
      throw new BifractError('CANCELLED', 'Nothing was deleted');
    const deleted =
      archives.plan && records > 0 ? await deleteArchives(engine, archives.plan, printer, signal) : 0;
    const pruned = backups && files > 0 ? await execute(engine, backups, printer, signal) : 0;
    return pruned || deleted || archives.exit;
  });
}

function hasRule(rule: KeepRule): boolean {
  return Object.values(rule).some((count) => count !== undefined);
}

function going(plan: { items: readonly { action: string }[] } | undefined): number {
  return plan?.items.filter(({ action }) => action === 'delete').length ?? 0;
}

function show(backups: PrunePlan | undefined, archives: DeletePlan | undefined, printer: Printer): void {
  const none = 'Backups stay: no --keep-… says which ones are to.';
  printer.list(backups?.items ?? [], backups ? prunePlanLines(backups) : [none]);
  const surplus = 'No scheduled archive is one too many by max_archives.';
  printer.list(archives?.items ?? [], archives ? deletePlanLines(archives) : [surplus]);
}

function question(backups: number, archives: number): string {
  const what = [
    ...(backups > 0 ? [plural(backups, 'backup')] : []),
    ...(archives > 0 ? [plural(archives, 'archive')] : []),
  ];
  return `Delete ${what.join(' and ')} for good?`;
}

async function planArchives(
  engine: Engine,
  printer: Printer,
  signal: AbortSignal,
): Promise<{ plan: DeletePlan | undefined; exit: number }> {
  try {
    const surplus = (await engine.planDue({ signal })).flatMap((item) => item.surplus);
    const targets = surplus.filter(({ action }) => action === 'delete');
    const plan = targets.length > 0 ? await engine.planDelete(targets, { signal }) : undefined;
    return { plan, exit: 0 };
  } catch (thrown) {
    signal.throwIfAborted();
    const error = asBifractError(thrown);
    printer.failed({ ...error.report(), message: `Archives were not looked at: ${error.message}` });
    return { plan: undefined, exit: error.exitCode };
  }
}

async function deleteArchives(
  engine: Engine,
  plan: DeletePlan,
  printer: Printer,
  signal: AbortSignal,
): Promise<number> {
  return runToEnd(engine, { kind: 'delete', plan }, printer, signal);
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
  return runToEnd(engine, { kind: 'prune', plan }, printer, signal);
}
