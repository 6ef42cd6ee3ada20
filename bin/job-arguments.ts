import type { Command } from 'commander';
import { BifractError } from '../src/core/errors.ts';
import type { BackupExtras } from './backup-arguments.ts';

/** Commands on jobs of any process. */
export type JobInvocation =
  | { command: 'jobs'; all: boolean }
  | { command: 'attach'; job: string }
  | { command: 'cancel'; job: string }
  /** The process of a job, started by another of ours. */
  | { command: 'run-job'; job: string };

type Choose = (chosen: JobInvocation) => void;

const ID = `
ID is the job's id, or its last letters (those after the last dash).`;

/** Adds the commands to the program. */
export function defineJobCommands(program: Command, choose: Choose) {
  program
    .command('jobs')
    .description('jobs of every console, cron and shell: those that run, and those of the last day')
    .option('--all', 'all that are known', false)
    .action(({ all }: { all: boolean }) => choose({ command: 'jobs', all }));
  program
    .command('attach <id>')
    .description('follow a job to its end, and end as it does; Ctrl-C leaves it running')
    .addHelpText('after', ID)
    .action((job: string) => choose({ command: 'attach', job }));
  program
    .command('cancel <id>')
    .description('end a running job, and wait until it has cleaned up')
    .addHelpText('after', ID)
    .action((job: string) => choose({ command: 'cancel', job }));
  program
    .command('run-job <id>', { hidden: true })
    .action((job: string) => choose({ command: 'run-job', job }));
}

/** Commands that can leave their job to a process of its own. */
const DETACHABLE: ReadonlySet<string> = new Set([
  'archive',
  'backup',
  'restore',
  'restore-archive',
  'verify',
  'copy',
]);

/** Throws where `--detach` was given to a command that runs no job, or has more to do after it. */
export function mustDetach(chosen: { command: string }): void {
  const { command, prune, metrics, on_success, on_failure } = chosen as typeof chosen & Partial<BackupExtras>;
  if (!DETACHABLE.has(command)) throw new BifractError('USAGE', `${command} cannot be detached`);
  if ([prune, metrics, on_success, on_failure].every((extra) => extra === undefined)) return;
  throw new BifractError('USAGE', 'What follows a backup cannot be detached with it', {
    hint: 'Leave out --detach, or --prune, --metrics and the hooks.',
  });
}
