import { type DeleteItem, type DeletePlan, refusalOf } from '../../src/core/index.ts';
import { formatBytes, plural } from '../../src/core/text/units.ts';
import { defineCommand } from '../command.ts';
import { completeNames } from '../complete-name.ts';
import { confirm, declarePlan, runPlan } from '../jobs/plan.ts';
import { runJob } from '../jobs/run.ts';
import { dayCell, stampCell, table } from '../output/tables.ts';
import { type Session, withEngine } from '../session.ts';

interface Input {
  kind: 'backup' | 'archive' | 'group';
  ids: string[];
  /** Delete even the last readable backup. */
  lastBackup?: boolean;
  dryRun: boolean;
}

export const command = defineCommand<Input>({
  declare(command, choose) {
    command
      .description('Delete files together with their records')
      .helpCommand('help [command]', 'Print help for a command');
    const action = (kind: Input['kind']) => (ids: string[], options: Omit<Input, 'kind' | 'ids'>) =>
      choose({ kind, ids, ...options });
    declarePlan(command.command('backup <names...>'))
      .description('Delete backup files')
      .option('--last-backup', 'Delete even the last readable backup', false)
      .action(action('backup'));
    declarePlan(command.command('archive <ids...>'))
      .description('Delete archives (record and file) by record ID or file')
      .action(action('archive'));
    declarePlan(command.command('group <ids...>'))
      .description('Delete archive groups with all their archives')
      .action(action('group'));
  },
  run: ({ kind, ids, lastBackup, dryRun }, context) =>
    withEngine(context, async (session) => {
      const { engine, signal } = session;
      const names = await completeNames(session, ids, kind);
      const targets = names.map((id) => ({ kind, id }));
      const plan = await engine.planDelete(targets, { last_backup: lastBackup, signal });
      return runPlan(session, {
        dryRun,
        values: plan.items,
        lines: deletePlanLines(plan),
        consent: () => confirm(session, question(plan)),
        run: () => runDelete(session, plan),
      });
    }),
});

/**
 * Starts no job if the plan deletes nothing. That something named was kept is an error of the command, not of the job,
 * which did what was planned.
 */
async function runDelete(session: Session, plan: DeletePlan): Promise<number> {
  const error = refusalOf(plan);
  if (error && countDeletions(plan) === 0) throw error;
  const exit = await runJob(session, { kind: 'delete', plan });
  if (error && exit === 0) throw error;
  return exit;
}

function question(plan: DeletePlan): string | undefined {
  const count = countDeletions(plan);
  const kept = plan.items.length - count;
  if (count === 0) return undefined;
  return `Delete ${plural(count, 'item')} (${formatBytes(plan.freed_bytes)})${kept > 0 ? ` and keep ${kept}` : ''}?`;
}

/** How many items of a plan will be deleted. */
export function countDeletions({ items }: { items: readonly { action: string }[] }): number {
  return items.filter(({ action }) => action === 'delete').length;
}

/** The plan of a deletion, human-readable. */
export function deletePlanLines({ items, freed_bytes, backups_left }: DeletePlan): string[] {
  const count = countDeletions({ items });
  return [
    ...table(items, [
      { title: 'ITEM', cell: ({ title }) => title },
      {
        title: 'CREATED',
        cell: ({ created_at }) => stampCell(created_at),
        short: ({ created_at }) => dayCell(created_at),
      },
      { title: 'SIZE', cell: ({ size_bytes }) => formatBytes(size_bytes), right: true },
      { title: 'ACTION', cell: ({ action }) => action },
      { title: 'FILE', cell: ({ path, id }) => path ?? id, rank: 1 },
    ]),
    ...items.flatMap(remarks),
    count === 0
      ? 'Nothing will be deleted'
      : `${plural(count, 'item')} (${formatBytes(freed_bytes)}) will be deleted`,
    ...(backups_left ? remainingLines(backups_left, count) : []),
  ];
}

function remarks({ path, id, notes, refusal }: DeleteItem): string[] {
  const name = (path ?? id).split('/').at(-1);
  const reason = refusal ? [`kept: ${refusal.message}.${refusal.hint ? ` ${refusal.hint}` : ''}`] : [];
  return [...reason, ...notes].map((note) => `  ${name}: ${note}`);
}

function remainingLines(
  { count, newest_whole }: NonNullable<DeletePlan['backups_left']>,
  deletions: number,
): string[] {
  if (deletions === 0) return count === 0 ? ['There are no backups'] : [];
  if (newest_whole) return [`${plural(count, 'backup')} left, the newest readable one is ${newest_whole}`];
  return [count === 0 ? 'No backup left' : `${plural(count, 'backup')} left, none of them readable`];
}
