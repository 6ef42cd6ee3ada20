import type { Command } from 'commander';
import { asBifractError, BifractError } from '../../src/core/contract/errors.ts';
import type { DeletePlan, JobRequest, PrunePlan } from '../../src/core/index.ts';
import type { KeepRule } from '../../src/core/policy/retention.ts';
import { formatBytes, plural } from '../../src/core/text/units.ts';
import { defineCommand } from '../command.ts';
import { addFooter } from '../help.ts';
import { confirm, declarePlan, runPlan } from '../jobs/plan.ts';
import { runJob } from '../jobs/run.ts';
import { stampCell, table } from '../output/tables.ts';
import { type Session, withEngine } from '../session.ts';
import { countDeletions, deletePlanLines } from './delete.ts';

/** Options of a retention rule. */
export interface KeepOptions {
  keepLast?: number;
  keepDaily?: number;
  keepWeekly?: number;
  keepMonthly?: number;
}

interface Input {
  rule: KeepRule;
  dryRun: boolean;
}

/**
 * Deletes backups by the rule, if there is one, and scheduled archives beyond `max_archives`. If archives cannot be
 * checked, backups are pruned all the same.
 */
export const command = defineCommand<Input>({
  declare(command, choose) {
    declarePlan(declareKeepRule(command))
      .description('Delete backups that no --keep-* option keeps, and scheduled archives beyond max_archives')
      .action(({ dryRun, ...keep }: KeepOptions & { dryRun: boolean }) =>
        choose({ rule: ruleOf(keep), dryRun }),
      );
    addFooter(command, 'The newest intact backup is always kept.');
  },
  run: ({ rule, dryRun }, context) =>
    withEngine(context, async (session) => {
      const { engine, signal } = session;
      const backups = hasRule(rule) ? await engine.planPrune(rule, { signal }) : undefined;
      const archives = await planArchives(session);
      const exit = await runPlan(session, {
        dryRun,
        values: [...(backups?.items ?? []), ...(archives.plan?.items ?? [])],
        lines: [...backupLines(backups), ...archiveLines(archives.plan)],
        consent: () => confirm(session, question(backups, archives.plan)),
        run: async () => {
          const deleted = await runIfAny(session, archives.plan, (plan) => ({ kind: 'delete', plan }));
          return (await runIfAny(session, backups, (plan) => ({ kind: 'prune', plan }))) || deleted;
        },
      });
      return exit || archives.exit;
    }),
});

/** Adds the options of a retention rule. */
export function declareKeepRule(command: Command): Command {
  const newest = (period: string) =>
    `Keep the newest backup of each of the last <n> ${period} that have a backup`;
  return command
    .option('--keep-last <n>', 'Keep the newest <n> backups', parseCount)
    .option('--keep-daily <n>', newest('days'), parseCount)
    .option('--keep-weekly <n>', `${newest('weeks')} (Monday to Sunday, UTC)`, parseCount)
    .option('--keep-monthly <n>', newest('months'), parseCount);
}

export function ruleOf({ keepLast, keepDaily, keepWeekly, keepMonthly }: KeepOptions): KeepRule {
  return { last: keepLast, daily: keepDaily, weekly: keepWeekly, monthly: keepMonthly };
}

function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(count)) return count;
  throw new BifractError('USAGE', `Not a valid count: ${text}`, {
    hint: 'Pass a whole number, as in --keep-daily 7.',
  });
}

function hasRule(rule: KeepRule): boolean {
  return Object.values(rule).some((count) => count !== undefined);
}

async function planArchives({
  engine,
  printer,
  signal,
}: Session): Promise<{ plan: DeletePlan | undefined; exit: number }> {
  try {
    const excess = (await engine.planDue({ signal })).flatMap((item) => item.surplus);
    const targets = excess.filter(({ action }) => action === 'delete');
    const plan = targets.length > 0 ? await engine.planDelete(targets, { signal }) : undefined;
    return { plan, exit: 0 };
  } catch (thrown) {
    signal.throwIfAborted();
    const error = asBifractError(thrown);
    printer.failed({ ...error.report(), message: `Cannot check archives: ${error.message}` });
    return { plan: undefined, exit: error.exitCode };
  }
}

function question(backups: PrunePlan | undefined, archives: DeletePlan | undefined): string | undefined {
  const counted = [
    { plan: backups, noun: 'backup' },
    { plan: archives, noun: 'archive' },
  ].flatMap(({ plan, noun }) => {
    const count = plan ? countDeletions(plan) : 0;
    return count > 0 ? [plural(count, noun)] : [];
  });
  const freed = (backups?.freed_bytes ?? 0) + (archives?.freed_bytes ?? 0);
  return counted.length === 0 ? undefined : `Delete ${counted.join(' and ')} (${formatBytes(freed)})?`;
}

/** Runs a job unless its plan deletes nothing. */
async function runIfAny<Plan extends DeletePlan | PrunePlan>(
  session: Session,
  plan: Plan | undefined,
  requestOf: (plan: Plan) => JobRequest,
): Promise<number> {
  return plan && countDeletions(plan) > 0 ? runJob(session, requestOf(plan)) : 0;
}

function backupLines(plan: PrunePlan | undefined): string[] {
  return plan ? planLines(plan) : ['No --keep-* option given: all backups are kept.'];
}

function archiveLines(plan: DeletePlan | undefined): string[] {
  return plan ? deletePlanLines(plan) : ['No scheduled archive exceeds max_archives.'];
}

function planLines({ items, freed_bytes }: PrunePlan): string[] {
  if (items.length === 0) return ['No backups.'];
  const count = countDeletions({ items });
  return [
    ...table(items, [
      { title: 'NAME', cell: ({ name }) => name },
      { title: 'CREATED', cell: ({ created_at }) => stampCell(created_at) },
      { title: 'SIZE', cell: ({ size_bytes }) => formatBytes(size_bytes), right: true },
      {
        title: 'ACTION',
        cell: ({ reasons }) => (reasons.length > 0 ? `keep: ${reasons.join(', ')}` : 'delete'),
      },
    ]),
    ...items.flatMap(remarks),
    count === 0
      ? 'Nothing will be deleted'
      : `${plural(count, 'backup')} (${formatBytes(freed_bytes)}) will be deleted`,
  ];
}

function remarks({ name, error, notes }: PrunePlan['items'][number]): string[] {
  const reason = error ? [`kept: ${error.message}.${error.hint ? ` ${error.hint}` : ''}`] : [];
  return [...reason, ...notes].map((text) => `  ${name}: ${text}`);
}
