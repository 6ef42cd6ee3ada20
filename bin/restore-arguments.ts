import { type Command, Option } from 'commander';
import type { RestoreTarget } from '../src/core/restore.ts';

/** The command that brings a backup back. Consents that no flag gives or refuses are asked for. */
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
The file is read to its end before anything is touched. The backup is restored into a fresh database, compared with
its manifest, and then takes the place of the present one in one transaction: a restore happens, or it does not.`;

/** Adds the command to the program. */
export function defineRestore(program: Command, choose: (chosen: RestoreInvocation) => void) {
  program
    .command('restore <file>')
    .description('restore a backup: a path, a name in backups/, or an S3 key')
    .addOption(
      new Option(
        '--database <name>',
        'restore into this database, which must not exist, beside the present one',
      ),
    )
    .addOption(
      new Option('--drill', 'restore into a scratch database, compare every count, drop it').conflicts(
        'database',
      ),
    )
    .option('--dry-run', 'read the file and show the plan only', false)
    .option('--no-safety-backup', 'do not back up the present database before')
    .option('--end-sessions', 'end the sessions that are connected to the database')
    .option('--no-end-sessions', 'refuse where somebody is connected')
    .option('--stop-app', "stop the server's container meanwhile")
    .option('--no-stop-app', 'leave it running')
    .option('--no-owner', 'leave owners and privileges out: everything belongs to the connecting user')
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
