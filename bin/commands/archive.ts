import { Option } from 'commander';
import { BifractError } from '../../src/core/contract/errors.ts';
import { compareTimes } from '../../src/core/policy/instant.ts';
import { GRANULARITIES, type Granularity } from '../../src/core/policy/periods.ts';
import { declareParallel, declareTimeRange, findFractal, type TimeRange } from '../arguments.ts';
import { defineCommand } from '../command.ts';
import { addFooter } from '../help.ts';
import { queueJob, runJob } from '../jobs/run.ts';
import { withEngine } from '../session.ts';

interface Input extends TimeRange {
  fractal: string;
  fields: boolean;
  /** Undefined: the setting of the fractal. */
  split?: Granularity;
  parallel?: number;
  fresh: boolean;
  queue: boolean;
}

const HELP = `<fractal> is a name or an ID. Periods are in UTC, weeks start on Monday, and a period without rows gets no file.

If an archive is interrupted, run the same command again within BIFRACT_ARCHIVE_MAX_DURATION: it resumes, keeps the finished files and does not read stored rows again.`;

export const command = defineCommand<Input>({
  declare(command, choose) {
    command
      .description('Archive the logs of a fractal')
      .argument('<fractal>')
      .addOption(
        new Option(
          '--split <period>',
          'Write one file per period (default: the setting of the fractal)',
        ).choices(GRANULARITIES),
      );
    declareParallel(declareTimeRange(command), 'Read through <n> connections at a time')
      .option('--no-fields', 'Leave out the parsed fields')
      .option('--fresh', 'Start over instead of resuming an interrupted archive', false)
      .option('--queue', 'Run it in the background after the queued archives, and print its ID', false)
      .action((fractal: string, options: Omit<Input, 'fractal'>) => {
        requireRange(options);
        choose({ fractal, ...options });
      });
    addFooter(command, HELP);
  },
  run: ({ fractal, queue, ...options }, context) =>
    withEngine(context, async (session) => {
      if (queue && session.flags.detach) throw new BifractError('USAGE', 'Use either --queue or --detach');
      const { id, name } = await findFractal(session, fractal);
      const request = { kind: 'archive', fractal_id: id, fractal_name: name, ...options } as const;
      return queue ? queueJob(session, request) : runJob(session, request);
    }),
  detachable: true,
});

function requireRange({ from, to }: TimeRange): void {
  if (from === undefined || to === undefined || compareTimes(from, to) < 0) return;
  throw new BifractError('USAGE', `--from (${from}) must be earlier than --to (${to})`, {
    hint: 'The time of --to itself is excluded.',
  });
}
