import type { Command } from 'commander';
import { BifractError } from '../src/core/errors.ts';
import type { KeepRule } from '../src/core/upkeep.ts';

/** Commands that look after the installation. */
export type UpkeepInvocation =
  | { command: 'init' }
  | { command: 'prune'; rule: KeepRule; dry_run: boolean }
  | { command: 'key'; what: 'show' | 'generate' | 'rotate'; dry_run: boolean };

/** The flags that make a rule. */
export interface KeepFlags {
  keepLast?: number;
  keepDaily?: number;
  keepWeekly?: number;
  keepMonthly?: number;
}

type Choose = (chosen: UpkeepInvocation) => void;

/** Adds the commands to the program. */
export function defineUpkeep(program: Command, choose: Choose) {
  program
    .command('init')
    .description('make or complete an installation directory; nothing that is there is changed')
    .action(() => choose({ command: 'init' }));
  keepFlags(
    program
      .command('prune')
      .description(
        'delete backups that a rule does not keep, and scheduled archives beyond max_archives; the newest stay',
      ),
  )
    .option('--dry-run', 'only show what would go', false)
    .action(({ dryRun, ...flags }: KeepFlags & { dryRun: boolean }) =>
      choose({ command: 'prune', rule: ruleOf(flags), dry_run: dryRun }),
    );
  defineKey(program, choose);
}

function defineKey(program: Command, choose: Choose) {
  const key = program.command('key').description('the encryption key of the installation');
  key
    .command('show')
    .description('its fingerprint, never the key')
    .action(() => choose({ command: 'key', what: 'show', dry_run: false }));
  key
    .command('generate')
    .description('make one where there is none')
    .action(() => choose({ command: 'key', what: 'generate', dry_run: false }));
  key
    .command('rotate')
    .description('a new key, and every file under it; the same call goes on where it ended')
    .option('--dry-run', 'only show which files are under which key', false)
    .action(({ dryRun }: { dryRun: boolean }) => choose({ command: 'key', what: 'rotate', dry_run: dryRun }));
}

/** Adds the flags that make a rule. */
export function keepFlags(command: Command): Command {
  return command
    .option('--keep-last <n>', 'keep the newest N', parseCount)
    .option('--keep-daily <n>', 'keep the newest of each of the last N days that have one', parseCount)
    .option('--keep-weekly <n>', 'the same for weeks (Monday to Sunday, UTC)', parseCount)
    .option('--keep-monthly <n>', 'the same for months', parseCount);
}

export function ruleOf({ keepLast, keepDaily, keepWeekly, keepMonthly }: KeepFlags): KeepRule {
  return { last: keepLast, daily: keepDaily, weekly: keepWeekly, monthly: keepMonthly };
}

function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(count)) return count;
  throw new BifractError('USAGE', `Not a count: ${text}`, {
    hint: 'Give a whole number, as in --keep-daily 7.',
  });
}
