import type { Command } from 'commander';
import { BifractError } from '../src/core/contract/errors.ts';
import type { KeepRule } from '../src/core/policy/retention.ts';

/** Maintenance commands. */
export type UpkeepInvocation =
  | { command: 'init' }
  | { command: 'prune'; rule: KeepRule; dry_run: boolean }
  | { command: 'key'; what: 'show' | 'generate' | 'rotate'; dry_run: boolean };

/** Flags of a retention rule. */
export interface KeepFlags {
  keepLast?: number;
  keepDaily?: number;
  keepWeekly?: number;
  keepMonthly?: number;
}

type Choose = (chosen: UpkeepInvocation) => void;

export function defineUpkeep(program: Command, choose: Choose) {
  program
    .command('init')
    .description('Create or complete an installation directory, without overwriting anything')
    .action(() => choose({ command: 'init' }));
  keepFlags(
    program
      .command('prune')
      .description(
        'Delete backups that no --keep-* option keeps, and scheduled archives beyond max_archives',
      ),
  )
    .option('--dry-run', 'Show the plan and change nothing', false)
    .addHelpText('after', '\nThe newest good backup is always kept.')
    .action(({ dryRun, ...flags }: KeepFlags & { dryRun: boolean }) =>
      choose({ command: 'prune', rule: ruleOf(flags), dry_run: dryRun }),
    );
  defineKey(program, choose);
}

function defineKey(program: Command, choose: Choose) {
  const key = program
    .command('key')
    .description('Manage the encryption key')
    .helpCommand('help [command]', 'Print help for a command');
  key
    .command('show')
    .description('Show the fingerprint of the key, never the key itself')
    .action(() => choose({ command: 'key', what: 'show', dry_run: false }));
  key
    .command('generate')
    .description('Generate a key if there is none')
    .action(() => choose({ command: 'key', what: 'generate', dry_run: false }));
  key
    .command('rotate')
    .description('Generate a new key and re-encrypt every file; if interrupted, run it again to resume')
    .option('--dry-run', 'Show which key each file is encrypted with, and change nothing', false)
    .action(({ dryRun }: { dryRun: boolean }) => choose({ command: 'key', what: 'rotate', dry_run: dryRun }));
}

/** Adds the flags of a retention rule. */
export function keepFlags(command: Command): Command {
  return command
    .option('--keep-last <n>', 'Keep the newest <n> backups', parseCount)
    .option(
      '--keep-daily <n>',
      'Keep the newest backup of each of the last <n> days that have one',
      parseCount,
    )
    .option(
      '--keep-weekly <n>',
      'Keep the newest backup of each of the last <n> weeks that have one (Monday to Sunday, UTC)',
      parseCount,
    )
    .option(
      '--keep-monthly <n>',
      'Keep the newest backup of each of the last <n> months that have one',
      parseCount,
    );
}

export function ruleOf({ keepLast, keepDaily, keepWeekly, keepMonthly }: KeepFlags): KeepRule {
  return { last: keepLast, daily: keepDaily, weekly: keepWeekly, monthly: keepMonthly };
}

function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(count)) return count;
  throw new BifractError('USAGE', `Not a valid count: ${text}`, {
    hint: 'Pass a whole number, as in --keep-daily 7.',
  });
}
