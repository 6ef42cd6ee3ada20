import { type Command, Option } from 'commander';
import type { RestoreMethod } from '../src/core/index.ts';
import { parseInstant } from '../src/core/policy/instant.ts';

export interface ArchiveRestoreInvocation {
  command: 'restore-archive';
  source: string;
  /** Name or ID of a fractal. */
  into: string | undefined;
  from: string | undefined;
  to: string | undefined;
  replace: boolean;
  via: RestoreMethod;
  dry_run: boolean;
}

interface Flags {
  into?: string;
  from?: string;
  to?: string;
  replace: boolean;
  via: RestoreMethod;
  dryRun: boolean;
}

const HELP = `
<target> is the ID of an archive or a group (see \`bifract list archives\`), a path, or a file name in storage.
Rows that already exist are not duplicated. If a restore is interrupted, run the same command again: it resumes.`;

export function defineArchiveRestore(program: Command, choose: (chosen: ArchiveRestoreInvocation) => void) {
  program
    .command('restore-archive <target>')
    .description('Restore archived rows, with all columns as they were')
    .option('--into <fractal>', 'Restore into this fractal (name or ID) instead of the original one')
    .option('--from <time>', 'Only rows at or after this time (UTC)')
    .option('--to <time>', 'Only rows before this time (UTC)')
    .option(
      '--replace',
      'First delete the rows of the fractal in that time range, or in the range of the archive',
      false,
    )
    .addOption(
      new Option(
        '--via <method>',
        'Write to the table directly, or send raw lines for the server to parse again',
      )
        .choices(['direct', 'ingest'])
        .default('direct'),
    )
    .option('--dry-run', 'Show the plan and change nothing', false)
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
