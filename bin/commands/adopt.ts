import { BifractError, ERROR_EXITS } from '../../src/core/contract/errors.ts';
import type { AdoptPlan } from '../../src/core/index.ts';
import { formatBytes, formatExact, plural } from '../../src/core/text/units.ts';
import { defineCommand } from '../command.ts';
import { confirm, declarePlan, runPlan } from '../jobs/plan.ts';
import { runJob } from '../jobs/run.ts';
import { table } from '../output/tables.ts';
import { withEngine } from '../session.ts';

interface Input {
  files: string[];
  createFractals: boolean;
  dryRun: boolean;
}

export const command = defineCommand<Input>({
  declare(command, choose) {
    declarePlan(command)
      .description('Recreate the records of archive files that have none (default: all such files)')
      .argument('[files...]')
      .option('--create-fractals', 'Recreate missing fractals under their old ID and name', false)
      .action((files: string[], options: Omit<Input, 'files'>) => choose({ files, ...options }));
  },
  run: ({ files, createFractals, dryRun }, context) =>
    withEngine(context, async (session) => {
      const { engine, signal } = session;
      const named = files.length > 0;
      const options = { create_fractals: createFractals, signal };
      const plan = await engine.planAdopt(named ? files : undefined, options);
      const count = plan.items.filter(({ action }) => action === 'adopt').length;
      return runPlan(session, {
        dryRun,
        values: plan.items,
        lines: planLines(plan),
        consent: async () => {
          if (named) requireAdoptable(plan);
          if (count > 0) await confirm(session, `Read ${plural(count, 'file')} and recreate the records?`);
        },
        run: async () => {
          const exit = count > 0 ? await runJob(session, { kind: 'adopt', plan }) : 0;
          return exit || (named && count < plan.items.length ? ERROR_EXITS.PARTLY_DONE : 0);
        },
      });
    }),
});

/** Throws `NOT_FOUND` if none of the named files can be adopted. */
function requireAdoptable({ items }: AdoptPlan): void {
  if (items.some(({ action }) => action === 'adopt')) return;
  const reasons = items.map(({ path, reason }) => `${path}: ${reason}`);
  throw new BifractError('NOT_FOUND', `Nothing to adopt: ${reasons.join('; ')}`);
}

function planLines({ items }: AdoptPlan): string[] {
  if (items.length === 0) return ['Every archive file has a record.'];
  return table(items, [
    { title: 'ACTION', cell: ({ action }) => action },
    { title: 'FILE', cell: ({ path }) => path, short: ({ path }) => path.split('/').at(-1) ?? '' },
    { title: 'FRACTAL', cell: ({ fractal }) => fractal?.name ?? fractal?.id ?? '-' },
    { title: 'LOGS', cell: ({ rows }) => (rows === null ? '?' : formatExact(rows)), right: true },
    { title: 'SIZE', cell: ({ size_bytes }) => formatBytes(size_bytes), right: true },
    { title: 'REASON', cell: ({ reason }) => reason, wraps: true },
  ]);
}
