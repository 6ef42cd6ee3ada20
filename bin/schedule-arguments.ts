import { type Command, Option } from 'commander';
import type { ScheduleMode } from '../src/core/index.ts';
import { type ListenerFlags, listenerFlags, listenersOf } from './listener-flags.ts';
import type { Listeners } from './tell.ts';

/** Commands about schedules and what is protected. */
export type ScheduleInvocation =
  | ({ command: 'run-due'; mode: ScheduleMode | undefined; dry_run: boolean } & Listeners)
  | { command: 'coverage'; fractal: string; unit: 'hour' | 'day' };

interface RunDueFlags extends ListenerFlags {
  full?: boolean;
  incremental?: boolean;
  dryRun: boolean;
}

const HELP = `
For cron: who is due by archive_schedule (daily, weekly, monthly; UTC) is archived, then max_archives is applied.
Without --full or --incremental: what no archive holds yet, but everything for fractals with max_archives.
A command after --on-success or --on-failure is run by the shell, with the outcome in BIFRACT_RESULT (success, failure),
BIFRACT_CODE, BIFRACT_MESSAGE, BIFRACT_ARCHIVED, BIFRACT_SKIPPED, BIFRACT_ROWS, BIFRACT_SIZE_BYTES, BIFRACT_DELETED.`;

/** Adds the commands to the program. */
export function defineSchedule(program: Command, choose: (chosen: ScheduleInvocation) => void) {
  const runDue = program
    .command('run-due')
    .description('scheduled archives that are due, then their retention')
    .addOption(new Option('--full', 'archive everything that is there').conflicts('incremental'))
    .option('--incremental', 'archive only what no whole archive holds yet')
    .option('--dry-run', 'only show who is due and what would go', false);
  listenerFlags(runDue, 'run')
    .addHelpText('after', HELP)
    .action(({ full, incremental, dryRun, ...flags }: RunDueFlags) => {
      const mode = full ? 'full' : incremental ? 'incremental' : undefined;
      choose({ command: 'run-due', mode, dry_run: dryRun, ...listenersOf(flags) });
    });
  program
    .command('coverage <fractal>')
    .description('which hours or days of a fractal are in whole archives, which only in ClickHouse')
    .addOption(new Option('--unit <unit>', 'length of a period').choices(['hour', 'day']).default('day'))
    .action((fractal: string, { unit }: { unit: 'hour' | 'day' }) =>
      choose({ command: 'coverage', fractal, unit }),
    );
}
