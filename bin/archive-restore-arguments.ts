import { type Command, Option } from 'commander';
import type { RestoreVia } from '../src/core/index.ts';
import { parseInstant } from '../src/core/policy/instant.ts';

/** The command that brings archived rows back. */
export interface ArchiveRestoreInvocation {
  command: 'restore-archive';
  source: string;
  /** Name or id of a fractal. */
  into: string | undefined;
  from: string | undefined;
  to: string | undefined;
  replace: boolean;
  via: RestoreVia;
  dry_run: boolean;
}

interface Flags {
  into?: string;
  from?: string;
  to?: string;
  replace: boolean;
  via: RestoreVia;
  dryRun: boolean;
}

const HELP = `
ID is an archive's or a group's, as \`bifract list archives\` shows it; FILE a path, or a name in storage. Rows that are there
already are not doubled. An interrupted restore is resumed by the same call.`;

/** Adds the command to the program. */
export function defineArchiveRestore(program: Command, choose: (chosen: ArchiveRestoreInvocation) => void) {
  program
    .command('restore-archive <source>')
    .description('bring archived rows back, all their columns as they were')
    .option('--into <fractal>', 'the fractal that gets them (name or id), instead of their own')
    .option('--from <time>', 'only rows at or after this time (UTC)')
    .option('--to <time>', 'only rows before this time (UTC)')
    .option(
      '--replace',
      'first remove what the fractal holds of that time, or of the time of the archive',
      false,
    )
    .addOption(
      new Option('--via <way>', 'straight into the table, or as raw lines that the server parses anew')
        .choices(['direct', 'ingest'])
        .default('direct'),
    )
    .option('--dry-run', 'only show what would be done', false)
    .addHelpText('after', HELP)
    .action((source: string, { into, from, to, replace, via, dryRun }: Flags) =>
      choose({
        command: 'restore-archive',
        source,
        into,
        from: from === undefined ? undefined : parseInstant(from, '--from'),
        to: to === undefined ? undefined : parseInstant(to, '--to'),
        replace,
        via,
        dry_run: dryRun,
      }),
    );
}
