import type { Command } from 'commander';
import { BifractError } from '../src/core/errors.ts';
import { keepsSomething } from '../src/core/policy/retention.ts';
import type { KeepRule } from '../src/core/upkeep.ts';
import { type KeepFlags, keepFlags, ruleOf } from './upkeep-arguments.ts';

/** What a backup is followed by. */
export interface BackupExtras {
  /** Retention, where that is asked for. */
  prune: KeepRule | undefined;
  /** Where figures for Prometheus are written. */
  metrics: string | undefined;
  /** Commands for the shell. */
  on_success: string | undefined;
  on_failure: string | undefined;
}

export type BackupInvocation = { command: 'backup' } & BackupExtras;

interface BackupFlags extends KeepFlags {
  prune: boolean;
  metrics?: string;
  onSuccess?: string;
  onFailure?: string;
}

const HELP = `
A command after --on-success or --on-failure is run by the shell, with the outcome in BIFRACT_RESULT (success, failure),
BIFRACT_CODE, BIFRACT_MESSAGE, BIFRACT_FILE, BIFRACT_SIZE_BYTES, BIFRACT_ROWS, BIFRACT_DURATION_MS, BIFRACT_CHECKSUM.`;

/** Adds the command to the program. */
export function defineBackup(program: Command, choose: (chosen: BackupInvocation) => void) {
  keepFlags(
    program
      .command('backup')
      .description('encrypted backup of the whole PostgreSQL database')
      .option('--prune', 'then delete backups that the --keep-… flags do not keep', false),
  )
    .option('--metrics <file>', 'write figures for the node exporter of Prometheus')
    .option('--on-success <cmd>', 'run CMD after a good backup')
    .option('--on-failure <cmd>', 'run CMD after a failed one')
    .addHelpText('after', HELP)
    .action(({ prune, metrics, onSuccess, onFailure, ...flags }: BackupFlags) =>
      choose({
        command: 'backup',
        prune: prune ? mustKeep(ruleOf(flags)) : undefined,
        metrics,
        on_success: onSuccess,
        on_failure: onFailure,
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
