import { type Command, Option } from 'commander';
import { BifractError } from '../src/core/contract/errors.ts';
import { compareTimes, parseInstant } from '../src/core/policy/instant.ts';
import { GRANULARITIES, type Granularity } from '../src/core/policy/periods.ts';

export interface ArchiveInvocation {
  command: 'archive';
  fractal: string;
  fields: boolean;
  /** Undefined: the setting of the fractal. */
  split: Granularity | undefined;
  from: string | undefined;
  to: string | undefined;
  fresh: boolean;
}

interface ArchiveFlags {
  fields: boolean;
  split?: Granularity;
  from?: string;
  to?: string;
  fresh: boolean;
}

const HELP = `
<fractal> is a name or an ID. Periods are in UTC, weeks start on Monday, and a period without rows gets no file.
If an archive is interrupted, run the same command again within BIFRACT_ARCHIVE_MAX_DURATION: it resumes, keeps the
finished files and does not read stored rows again.`;

export function defineArchive(program: Command, choose: (chosen: ArchiveInvocation) => void) {
  program
    .command('archive <fractal>')
    .description('Archive the logs of a fractal')
    .addOption(
      new Option(
        '--split <period>',
        'Write one file per period (default: the setting of the fractal)',
      ).choices(GRANULARITIES),
    )
    .option('--from <time>', 'Only rows at or after this time (UTC)')
    .option('--to <time>', 'Only rows before this time (UTC)')
    .option('--no-fields', 'Leave out the parsed fields')
    .option('--fresh', 'Start over instead of resuming an interrupted archive', false)
    .addHelpText('after', HELP)
    .action((fractal: string, { fields, split, fresh, ...flags }: ArchiveFlags) => {
      const from = flags.from === undefined ? undefined : parseInstant(flags.from, '--from');
      const to = flags.to === undefined ? undefined : parseInstant(flags.to, '--to');
      if (from !== undefined && to !== undefined && compareTimes(from, to) >= 0)
        throw new BifractError('USAGE', `--from (${from}) must be earlier than --to (${to})`, {
          hint: 'The time of --to itself is excluded.',
        });
      choose({ command: 'archive', fractal, fields, split, from, to, fresh });
    });
}
