import type { Command } from 'commander';
import { BifractError } from '../src/core/contract/errors.ts';
import type { KeepRule } from '../src/core/policy/retention.ts';
import { keepsSomething } from '../src/core/policy/retention.ts';
import type { NotifyOptions } from './notify.ts';
import { type NotifyFlags, notifyFlags, notifyOptions } from './notify-flags.ts';
import { type KeepFlags, keepFlags, ruleOf } from './upkeep-arguments.ts';

/** What to do after a backup. */
export interface BackupExtras extends NotifyOptions {
  /** Retention, if requested. */
  prune: KeepRule | undefined;
}

export type BackupInvocation = { command: 'backup' } & BackupExtras;

interface BackupFlags extends KeepFlags, NotifyFlags {
  prune: boolean;
}

const HELP = `
The shell runs the --on-success or --on-failure command with the outcome in BIFRACT_RESULT (success, failure),
BIFRACT_CODE, BIFRACT_MESSAGE, BIFRACT_FILE, BIFRACT_SIZE_BYTES, BIFRACT_ROWS, BIFRACT_DURATION_MS, BIFRACT_CHECKSUM.`;

export function defineBackup(program: Command, choose: (chosen: BackupInvocation) => void) {
  const backup = program
    .command('backup')
    .description('Back up the whole PostgreSQL database, encrypted')
    .option('--prune', 'Then delete backups that no --keep-* option keeps', false);
  notifyFlags(keepFlags(backup), 'backup')
    .addHelpText('after', HELP)
    .action(({ prune, ...flags }: BackupFlags) =>
      choose({
        command: 'backup',
        prune: prune ? requireRule(ruleOf(flags)) : undefined,
        ...notifyOptions(flags),
      }),
    );
}

/** Checked before the backup, not after it. */
function requireRule(rule: KeepRule): KeepRule {
  if (keepsSomething(rule)) return rule;
  throw new BifractError('USAGE', '--prune requires at least one --keep-* option', {
    hint: 'For example: --prune --keep-daily 7 --keep-weekly 4.',
  });
}
