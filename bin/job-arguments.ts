import type { Command } from 'commander';
import { BifractError } from '../src/core/contract/errors.ts';
import type { BackupExtras } from './backup-arguments.ts';

/** Commands on jobs of any process. */
export type JobInvocation =
  | { command: 'jobs'; all: boolean }
  | { command: 'attach'; job: string }
  | { command: 'cancel'; job: string }
  /** Internal: the process of a job, started by another bifract process. */
  | { command: 'run-job'; job: string };

type Choose = (chosen: JobInvocation) => void;

const ID = `
<id> is the ID of a job, or the part of it after the last dash.`;

export function defineJobCommands(program: Command, choose: Choose) {
  program
    .command('jobs')
    .description('List jobs of every console, cron job and shell: running, or ended within the last day')
    .option('--all', 'List all known jobs', false)
    .action(({ all }: { all: boolean }) => choose({ command: 'jobs', all }));
  program
    .command('attach <id>')
    .description('Follow a job until it ends and exit with its exit code; Ctrl-C leaves it running')
    .addHelpText('after', ID)
    .action((job: string) => choose({ command: 'attach', job }));
  program
    .command('cancel <id>')
    .description('Cancel a running job and wait for its cleanup')
    .addHelpText('after', ID)
    .action((job: string) => choose({ command: 'cancel', job }));
  program
    .command('run-job <id>', { hidden: true })
    .action((job: string) => choose({ command: 'run-job', job }));
}

/** Commands that can run their job in a process of its own. */
const DETACHABLE: ReadonlySet<string> = new Set([
  'archive',
  'backup',
  'restore',
  'restore-archive',
  'verify',
  'copy',
]);

/** Throws `USAGE` for `--detach` with a command that runs no job, or has more to do after it. */
export function requireDetachable(chosen: { command: string }): void {
  const { command, prune, metrics, on_success, on_failure } = chosen as typeof chosen & Partial<BackupExtras>;
  if (!DETACHABLE.has(command)) throw new BifractError('USAGE', `${command} does not support --detach`);
  if ([prune, metrics, on_success, on_failure].every((extra) => extra === undefined)) return;
  throw new BifractError(
    'USAGE',
    '--detach cannot be combined with --prune, --metrics, --on-success or --on-failure',
    {
      hint: 'Omit --detach, or the other options.',
    },
  );
}
