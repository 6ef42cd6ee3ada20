import { Option } from 'commander';
import type { DueItem, ScheduleMode } from '../../src/core/index.ts';
import { type Context, defineCommand } from '../command.ts';
import { addFooter } from '../help.ts';
import {
  declareNotifications,
  hookHelp,
  type NotificationContent,
  type NotifyOptions,
  runAndNotify,
} from '../jobs/notify.ts';
import { table } from '../output/tables.ts';
import { withEngine } from '../session.ts';

interface Input extends NotifyOptions {
  mode?: ScheduleMode;
  dryRun: boolean;
}

interface Options extends NotifyOptions {
  full?: boolean;
  incremental?: boolean;
  dryRun: boolean;
}

const HELP = `For cron: archives each fractal that is due by its archive_schedule (daily, weekly, monthly; UTC), then applies max_archives. Default: incremental (whole periods, or everything from the first row not yet archived); full for fractals with max_archives.

${hookHelp('BIFRACT_ARCHIVED, BIFRACT_SKIPPED, BIFRACT_ROWS, BIFRACT_SIZE_BYTES, BIFRACT_DELETED and BIFRACT_DURATION_MS')}`;

export const command = defineCommand<Input>({
  declare(command, choose) {
    command
      .description('Archive fractals whose schedule is due, then apply retention')
      .addOption(new Option('--full', 'Archive all rows of every due fractal').conflicts('incremental'))
      .option('--incremental', 'Archive only what is in no complete archive yet')
      .option(
        '-n, --dry-run',
        'Show what is due and what would be deleted, and change nothing; ignores --metrics and the hooks',
        false,
      );
    declareNotifications(command, 'run').action(({ full, incremental, ...options }: Options) => {
      const mode = full ? 'full' : incremental ? 'incremental' : undefined;
      choose({ mode, ...options });
    });
    addFooter(command, HELP);
  },
  run(input, context) {
    if (input.dryRun) return showDue(input, context);
    return runAndNotify(context, { kind: 'run-due', mode: input.mode }, input, NOTIFICATIONS);
  },
});

const NOTIFICATIONS: NotificationContent<'run-due'> = {
  prefix: 'bifract_run_due',
  noun: 'scheduled archive run',
  help: {
    duration_seconds: 'Duration of the last successful run.',
    archived: 'Fractals archived by the last successful run.',
    skipped: 'Fractals not due in the last successful run.',
    rows: 'Rows archived by the last successful run.',
    size_bytes: 'Stored size of the archives of the last successful run.',
    deleted: 'Older archives deleted by the last successful run.',
  },
  metrics: ({ duration_ms, archived, skipped, rows, size_bytes, deleted }) => ({
    duration_seconds: duration_ms / 1000,
    archived,
    skipped,
    rows,
    size_bytes,
    deleted,
  }),
  variables: ({ archived, skipped, rows, size_bytes, deleted, duration_ms }) => ({
    BIFRACT_ARCHIVED: String(archived),
    BIFRACT_SKIPPED: String(skipped),
    BIFRACT_ROWS: String(rows),
    BIFRACT_SIZE_BYTES: String(size_bytes),
    BIFRACT_DELETED: String(deleted),
    BIFRACT_DURATION_MS: String(duration_ms),
  }),
};

function showDue({ mode }: Input, context: Context): Promise<number> {
  return withEngine(context, async ({ engine, printer, signal }) => {
    const items = await engine.planDue({ mode, signal });
    printer.list(items, dueLines(items));
    return 0;
  });
}

const NOTE =
  'DELETES counts archives that exceed max_archives now; the run itself may push one more over the limit.';

/** What is due and what would be deleted, human-readable. */
function dueLines(items: readonly DueItem[]): string[] {
  if (items.length === 0) return ['No fractal has a schedule.'];
  const may_exceed = items.some(
    ({ action, max_archives }) => action === 'archive' && (max_archives ?? 0) > 0,
  );
  const lines = table(items, [
    { title: 'FRACTAL', cell: ({ fractal_name }) => fractal_name },
    { title: 'DUE', cell: ({ action }) => (action === 'archive' ? 'due' : 'skip') },
    { title: 'SPLIT', cell: ({ split }) => split },
    { title: 'ROWS', cell: ({ mode }) => (mode === 'full' ? 'all' : 'new') },
    { title: 'DELETES', cell: ({ surplus }) => deletions(surplus) },
    { title: 'REASON', cell: ({ reason }) => reason, wraps: true },
  ]);
  return may_exceed ? [...lines, NOTE] : lines;
}

function deletions(excess: DueItem['surplus']): string {
  const deleted = excess.filter(({ action }) => action === 'delete').length;
  const kept = excess.length - deleted;
  return kept === 0 ? String(deleted) : `${deleted}, ${kept} kept`;
}
