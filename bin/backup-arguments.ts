import type { Command } from 'commander';
import { BifractError } from '../src/core/errors.ts';
import { keepsSomething } from '../src/core/policy/retention.ts';
import type { KeepRule } from '../src/core/upkeep.ts';
import { type ListenerFlags, listenerFlags, listenersOf } from './listener-flags.ts';
import type { Listeners } from './tell.ts';
import { type KeepFlags, keepFlags, ruleOf } from './upkeep-arguments.ts';

/** What a backup is followed by. */
export interface BackupExtras extends Listeners {
  /** Retention, where that is asked for. */
  prune: KeepRule | undefined;
}

export type BackupInvocation = { command: 'backup' } & BackupExtras;

interface BackupFlags extends KeepFlags, ListenerFlags {
  prune: boolean;
}

const HELP = `
A command after --on-success or --on-failure is run by the shell, with the outcome in BIFRACT_RESULT (success, failure),
BIFRACT_CODE, BIFRACT_MESSAGE, BIFRACT_FILE, BIFRACT_SIZE_BYTES, BIFRACT_ROWS, BIFRACT_DURATION_MS, BIFRACT_CHECKSUM.`;

/** Adds the command to the program. */
export function defineBackup(program: Command, choose: (chosen: BackupInvocation) => void) {
  const backup = program
    .command('backup')
    .description('encrypted backup of the whole PostgreSQL database')
    .option('--prune', 'then delete backups that the --keep-… flags do not keep', false);
  listenerFlags(keepFlags(backup), 'backup')
    .addHelpText('after', HELP)
    .action(({ prune, ...flags }: BackupFlags) =>
      choose({
        command: 'backup',
        prune: prune ? mustKeep(ruleOf(flags)) : undefined,
        ...listenersOf(flags),
      }),
    );
}

/** Told before the backup, not after it. */
function mustKeep(rule: KeepRule): KeepRule {
  if (keepsSomething(rule)) return rule;
  throw new BifractError('USAGE', '--prune needs to be told what to keep', {
    hint: 'For example: --prune --keep-daily 7 --keep-weekly 4.',
  });
}
