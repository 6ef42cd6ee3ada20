import { type Command, Option } from 'commander';

/** Commands on whole files in storage. */
export type StorageInvocation =
  | {
      command: 'delete';
      kind: 'backup' | 'archive' | 'group';
      ids: string[];
      dry_run: boolean;
      last_backup: boolean;
    }
  | { command: 'copy'; targets: string[]; to: 'disk' | 's3'; move: boolean; dry_run: boolean };

type Choose = (chosen: StorageInvocation) => void;

/** Adds the commands to the program. */
export function defineStorage(program: Command, choose: Choose) {
  defineDelete(program, choose);
  program
    .command('copy <targets...>')
    .description('copy backups or archives to the other storage, each verified on the way')
    .addOption(new Option('--to <storage>', 'where to').choices(['disk', 's3']).makeOptionMandatory())
    .option('--move', 'delete each original once its copy is proved', false)
    .option('--dry-run', 'only show what would be done', false)
    .action(
      (targets: string[], { to, move, dryRun }: { to: 'disk' | 's3'; move: boolean; dryRun: boolean }) =>
        choose({ command: 'copy', targets, to, move, dry_run: dryRun }),
    );
}

const DELETIONS = [
  { kind: 'backup', argument: '<names...>', what: 'backup files' },
  {
    kind: 'archive',
    argument: '<ids...>',
    what: 'archives by the id of their record, or their file: both go',
  },
  { kind: 'group', argument: '<ids...>', what: 'groups of archives, with all that they hold' },
] as const;

function defineDelete(program: Command, choose: Choose) {
  const parent = program.command('delete').description('delete files and their records, both or neither');
  for (const { kind, argument, what } of DELETIONS) {
    const command = parent
      .command(`${kind} ${argument}`)
      .description(what)
      .option('--dry-run', 'only show what would go', false);
    if (kind === 'backup') command.option('--last-backup', 'even the last one that can be read', false);
    command.action((ids: string[], flags: { dryRun: boolean; lastBackup?: boolean }) =>
      choose({
        command: 'delete',
        kind,
        ids,
        dry_run: flags.dryRun,
        last_backup: flags.lastBackup ?? false,
      }),
    );
  }
}
