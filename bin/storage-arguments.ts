import { type Command, Option } from 'commander';

/** Commands that delete or copy stored files. */
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

export function defineStorage(program: Command, choose: Choose) {
  defineDelete(program, choose);
  program
    .command('copy <targets...>')
    .description('Copy backups or archives to the other storage, and verify each copy')
    .addOption(
      new Option('--to <storage>', 'Destination storage').choices(['disk', 's3']).makeOptionMandatory(),
    )
    .option('--move', 'Delete each original after its copy is verified', false)
    .option('--dry-run', 'Show the plan and change nothing', false)
    .action(
      (targets: string[], { to, move, dryRun }: { to: 'disk' | 's3'; move: boolean; dryRun: boolean }) =>
        choose({ command: 'copy', targets, to, move, dry_run: dryRun }),
    );
}

const DELETIONS = [
  { kind: 'backup', argument: '<names...>', description: 'Delete backup files' },
  {
    kind: 'archive',
    argument: '<ids...>',
    description: 'Delete archives, both record and file, given by record ID or file',
  },
  { kind: 'group', argument: '<ids...>', description: 'Delete archive groups with all their archives' },
] as const;

function defineDelete(program: Command, choose: Choose) {
  const parent = program
    .command('delete')
    .description('Delete files together with their records')
    .helpCommand('help [command]', 'Print help for a command');
  for (const { kind, argument, description } of DELETIONS) {
    const command = parent
      .command(`${kind} ${argument}`)
      .description(description)
      .option('--dry-run', 'Show the plan and change nothing', false);
    if (kind === 'backup') command.option('--last-backup', 'Delete even the last readable backup', false);
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
