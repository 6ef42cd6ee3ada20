import { type Command, Option } from 'commander';
import type { ScheduleMode } from '../src/core/index.ts';
import type { NotifyOptions } from './notify.ts';
import { type NotifyFlags, notifyFlags, notifyOptions } from './notify-flags.ts';

/** Commands on schedules and coverage. */
export type ScheduleInvocation =
  | ({ command: 'run-due'; mode: ScheduleMode | undefined; dry_run: boolean } & NotifyOptions)
  | { command: 'coverage'; fractal: string; unit: 'hour' | 'day' };

interface RunDueFlags extends NotifyFlags {
  full?: boolean;
  incremental?: boolean;
  dryRun: boolean;
}

const HELP = `
For cron: archives each fractal that is due by its archive_schedule (daily, weekly, monthly; UTC), then applies
max_archives. Without --full or --incremental, archives only rows that no archive holds yet, but all rows of fractals
with max_archives.
The shell runs the --on-success or --on-failure command with the outcome in BIFRACT_RESULT (success, failure),
BIFRACT_CODE, BIFRACT_MESSAGE, BIFRACT_ARCHIVED, BIFRACT_SKIPPED, BIFRACT_ROWS, BIFRACT_SIZE_BYTES, BIFRACT_DELETED.`;

export function defineSchedule(program: Command, choose: (chosen: ScheduleInvocation) => void) {
  const runDue = program
    .command('run-due')
    .description('Archive fractals whose schedule is due, then apply retention')
    .addOption(new Option('--full', 'Archive all rows').conflicts('incremental'))
    .option('--incremental', 'Archive only rows that no complete archive holds')
    .option('--dry-run', 'Show what is due and what would be deleted, and change nothing', false);
  notifyFlags(runDue, 'run')
    .addHelpText('after', HELP)
    .action(({ full, incremental, dryRun, ...flags }: RunDueFlags) => {
      const mode = full ? 'full' : incremental ? 'incremental' : undefined;
      choose({ command: 'run-due', mode, dry_run: dryRun, ...notifyOptions(flags) });
    });
  program
    .command('coverage <fractal>')
    .description('Show which hours or days of a fractal are archived, and which are only in ClickHouse')
    .addOption(new Option('--unit <unit>', 'Length of a period').choices(['hour', 'day']).default('day'))
    .action((fractal: string, { unit }: { unit: 'hour' | 'day' }) =>
      choose({ command: 'coverage', fractal, unit }),
    );
}
