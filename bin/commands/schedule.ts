import { Option } from 'commander';
import { BifractError } from '../../src/core/contract/errors.ts';
import type { ArchiveSchedule, Fractal } from '../../src/core/index.ts';
import { sanitize } from '../../src/core/text/sanitize.ts';
import { findFractal } from '../arguments.ts';
import { defineCommand } from '../command.ts';
import { withEngine } from '../session.ts';

interface Input {
  fractal: string;
  every?: string;
  split?: string;
  keep?: string;
}

/** Shows or sets when `run-due` archives a fractal. */
export const command = defineCommand<Input>({
  declare(command, choose) {
    command
      .description('Show or set when `bifract run-due` archives a fractal, and how many archives it keeps')
      .argument('<fractal>')
      .addOption(
        new Option('--every <schedule>', 'How often to archive').choices([
          'daily',
          'weekly',
          'monthly',
          'never',
        ]),
      )
      .addOption(
        new Option('--split <period>', 'One file per period').choices(['none', 'hour', 'day', 'week']),
      )
      .option('--keep <n>', 'Keep the newest <n> scheduled archives, or `all`')
      .action((fractal: string, options: Omit<Input, 'fractal'>) => choose({ fractal, ...options }));
  },
  run: ({ fractal: name, ...options }, context) =>
    withEngine(context, async (session) => {
      const { engine, printer, signal } = session;
      const fractal = await findFractal(session, name);
      const schedule = changed(fractal, options);
      if (Object.keys(options).length > 0) await engine.setSchedule(fractal.id, schedule, { signal });
      printer.result(
        { fractal_id: fractal.id, fractal_name: fractal.name, ...schedule },
        lines(fractal, schedule),
      );
      return 0;
    }),
  only_output: true,
});

function changed(fractal: Fractal, { every, split, keep }: Omit<Input, 'fractal'>): ArchiveSchedule {
  return {
    archive_schedule: every ?? fractal.archive_schedule,
    archive_split: split ?? fractal.archive_split,
    max_archives: keep === undefined ? fractal.max_archives : parseKeep(keep),
  };
}

function parseKeep(text: string): number | null {
  if (text === 'all') return null;
  const number = /^[1-9]\d{0,5}$/.test(text) ? Number(text) : undefined;
  if (number !== undefined) return number;
  throw new BifractError('USAGE', `--keep must be a number from 1 to 999999, or \`all\`: ${text}`);
}

function lines(
  { name }: Fractal,
  { archive_schedule, archive_split, max_archives }: ArchiveSchedule,
): string[] {
  return [
    `Fractal   ${sanitize(name)}`,
    `Schedule  ${archive_schedule}`,
    `Split     ${archive_split}`,
    `Keeps     ${max_archives === null ? 'all archives' : `the newest ${max_archives}`}`,
  ];
}
