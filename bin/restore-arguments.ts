import { type Command, Option } from 'commander';
import type { RestoreTarget } from '../src/core/index.ts';

/** Consents that no flag gives or refuses are undefined: the user is asked. */
export interface RestoreInvocation {
  command: 'restore';
  file: string;
  target: RestoreTarget;
  no_owner: boolean;
  safety_backup: boolean;
  end_sessions: boolean | undefined;
  stop_app: boolean | undefined;
  dry_run: boolean;
}

interface RestoreFlags {
  database?: string;
  drill?: boolean;
  owner: boolean;
  safetyBackup: boolean;
  endSessions?: boolean;
  stopApp?: boolean;
  dryRun: boolean;
}

const HELP = `
<file> is a path, a file name in backups/, or an S3 key. It is verified in full before anything changes. The backup is
restored to a new database, compared with its manifest, and swapped with the live database in one transaction: a restore
happens completely or not at all.`;

export function defineRestore(program: Command, choose: (chosen: RestoreInvocation) => void) {
  program
    .command('restore <file>')
    .description('Restore a backup of the PostgreSQL database')
    .addOption(new Option('--database <name>', 'Restore to this new database and leave the live one alone'))
    .addOption(
      new Option(
        '--drill',
        'Test restore: restore to a scratch database, compare row counts, drop it',
      ).conflicts('database'),
    )
    .option('--dry-run', 'Verify the file, show the plan and change nothing', false)
    .option('--no-safety-backup', 'Do not back up the live database first')
    .option('--end-sessions', 'Terminate sessions connected to the database')
    .option('--no-end-sessions', 'Fail if sessions are connected to the database')
    .option('--stop-app', 'Stop the Bifract server container during the restore')
    .option('--no-stop-app', 'Leave the container running')
    .option('--no-owner', 'Skip owners and privileges: the connecting user owns everything')
    .addHelpText('after', HELP)
    .action((file: string, flags: RestoreFlags) =>
      choose({
        command: 'restore',
        file,
        target: targetOf(flags),
        no_owner: !flags.owner,
        safety_backup: flags.safetyBackup,
        end_sessions: flags.endSessions,
        stop_app: flags.stopApp,
        dry_run: flags.dryRun,
      }),
    );
}

function targetOf({ database, drill }: RestoreFlags): RestoreTarget {
  if (drill) return { kind: 'drill' };
  return database === undefined ? { kind: 'live' } : { kind: 'beside', database };
}
