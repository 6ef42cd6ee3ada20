import { Option } from 'commander';
import { type CopyPlan, copyRefusal } from '../../src/core/index.ts';
import { formatBytes, plural } from '../../src/core/text/units.ts';
import { defineCommand } from '../command.ts';
import { completeNames } from '../complete-name.ts';
import { addFooter, targetHelp } from '../help.ts';
import { confirm, declarePlan, runPlan } from '../jobs/plan.ts';
import { runJob } from '../jobs/run.ts';
import { table } from '../output/tables.ts';
import { type Session, withEngine } from '../session.ts';

interface Input {
  targets: string[];
  to: 'disk' | 's3';
  move: boolean;
  dryRun: boolean;
}

export const command = defineCommand<Input>({
  declare(command, choose) {
    declarePlan(command, 'With --move, asks')
      .description('Copy backups or archives to the other storage, and verify each copy')
      .usage('--to <storage> [options] <target>...')
      .argument('<targets...>')
      .addOption(
        new Option('--to <storage>', 'Destination storage').choices(['disk', 's3']).makeOptionMandatory(),
      )
      .option('--move', 'Delete each original after its copy is verified', false)
      .action((targets: string[], options: Omit<Input, 'targets'>) => choose({ targets, ...options }));
    addFooter(command, targetHelp('an archive'));
  },
  run: ({ targets, to, move, dryRun }, context) =>
    withEngine(context, async (session) => {
      const { engine, signal } = session;
      const names = await completeNames(session, targets, 'backup', 'archive');
      const plan = await engine.planCopy(names, { to, move, signal });
      const count = countCopies(plan);
      const question = `Copy ${plural(count, 'file')} (${formatBytes(plan.size_bytes)}) and delete the originals?`;
      return runPlan(session, {
        dryRun,
        values: plan.items,
        lines: planLines(plan),
        consent: () => confirm(session, move && count > 0 ? question : undefined),
        run: () => runCopy(session, plan),
      });
    }),
  detachable: true,
});

/** That something named is not copied is an error of the command, not of the job, which does what was planned. */
async function runCopy(session: Session, plan: CopyPlan): Promise<number> {
  const error = copyRefusal(plan);
  if (error && countCopies(plan) === 0) throw error;
  const exit = await runJob(session, { kind: 'copy', plan });
  if (error && exit === 0) throw error;
  return exit;
}

function countCopies({ items }: CopyPlan): number {
  return items.filter(({ action }) => action === 'copy').length;
}

function planLines(plan: CopyPlan): string[] {
  const { items, move, size_bytes } = plan;
  const count = countCopies(plan);
  return [
    ...table(items, [
      {
        title: 'FILE',
        cell: ({ from_path }) => from_path,
        short: ({ from_path }) => from_path.split('/').at(-1) ?? '',
      },
      { title: 'SIZE', cell: ({ size_bytes: size }) => formatBytes(size), right: true },
      {
        title: 'TO',
        cell: ({ to_path, refusal }) => (refusal ? `kept: ${refusal.message}` : to_path),
        wraps: true,
      },
    ]),
    count === 0
      ? 'No files can be copied'
      : `${plural(count, 'file')} (${formatBytes(size_bytes)}) will be ${move ? 'moved' : 'copied'}`,
  ];
}
