import { type Command, Option } from 'commander';
import { BifractError } from '../src/core/errors.ts';
import { compareTimes, parseInstant } from '../src/core/policy/instant.ts';
import { GRANULARITIES, type Granularity } from '../src/core/policy/periods.ts';

/** The command that archives a fractal. */
export interface ArchiveInvocation {
  command: 'archive';
  fractal: string;
  fields: boolean;
  /** Undefined: as the fractal is set. */
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
Periods are those of UTC, weeks begin on Monday; a period without rows makes no file. An archive whose process died is
continued by the same call for as long as BIFRACT_ARCHIVE_MAX_DURATION: files that are done stay, and rows that were
stored are not read again.`;

/** Adds the command to the program. */
export function defineArchive(program: Command, choose: (chosen: ArchiveInvocation) => void) {
  program
    .command('archive <fractal>')
    .description('archive a fractal, given by name or id')
    .addOption(
      new Option('--split <period>', 'a file for each period (default: as the fractal is set)').choices(
        GRANULARITIES,
      ),
    )
    .option('--from <time>', 'only rows at or after this time (UTC)')
    .option('--to <time>', 'only rows before this time (UTC)')
    .option('--no-fields', 'leave the parsed fields out')
    .option('--fresh', 'begin anew where the same archive was interrupted', false)
    .addHelpText('after', HELP)
    .action((fractal: string, { fields, split, fresh, ...flags }: ArchiveFlags) => {
      const from = flags.from === undefined ? undefined : parseInstant(flags.from, '--from');
      const to = flags.to === undefined ? undefined : parseInstant(flags.to, '--to');
      if (from !== undefined && to !== undefined && compareTimes(from, to) >= 0)
        throw new BifractError('USAGE', '--from is not before --to', { hint: 'Rows at --to are left out.' });
      choose({ command: 'archive', fractal, fields, split, from, to, fresh });
    });
}
