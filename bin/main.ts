import { asBifractError, EXIT } from '../src/core/contract/errors.ts';
import { type Invocation, parseArguments } from './arguments.ts';
import { makePrinter, type Printer } from './printer.ts';
import { VERSION } from './version.ts';

/** Runs the program with the given arguments and sets the process's exit code. Never throws. */
export async function main(argv: string[]): Promise<void> {
  const output = watchOutput();
  let printer = makePrinter({ json: argv.includes('--json') }, process);
  try {
    const invocation = parseArguments(argv, { version: VERSION, env: process.env });
    printer = makePrinter(invocation.flags, process);
    process.exitCode = (await run(invocation, printer)) || (await output.exitCode(invocation));
  } catch (thrown) {
    const error = asBifractError(thrown);
    printer.failed(error.report());
    if (error.code === 'INTERNAL' && process.env.BIFRACT_DEBUG) console.error(error.cause);
    process.exitCode = error.exitCode;
  }
}

/** Loads the file of a command only when the command is called. */
async function run(invocation: Invocation, printer: Printer): Promise<number> {
  switch (invocation.command) {
    case 'text':
      process.stdout.write(invocation.text);
      return 0;
    case 'console':
      return (await import('./commands/console.ts')).consoleCommand(invocation, printer);
    case 'backup':
      return (await import('./commands/backup.ts')).backupCommand(invocation, printer);
    case 'archive':
      return (await import('./commands/archive.ts')).archiveCommand(invocation, printer);
    case 'list':
      return (await import('./commands/list.ts')).listCommand(invocation, printer);
    case 'status':
      return (await import('./commands/status.ts')).statusCommand(invocation, printer);
    case 'extract':
      return (await import('./commands/extract.ts')).extractCommand(invocation);
    case 'verify':
      return (await import('./commands/verify.ts')).verifyCommand(invocation, printer);
    case 'show':
      return (await import('./commands/show.ts')).showCommand(invocation, printer);
    case 'search':
      return (await import('./commands/search.ts')).searchCommand(invocation, printer);
    case 'adopt':
      return (await import('./commands/adopt.ts')).adoptCommand(invocation, printer);
    case 'clean':
      return (await import('./commands/clean.ts')).cleanCommand(invocation, printer);
    case 'restore':
      return (await import('./commands/restore.ts')).restoreCommand(invocation, printer);
    case 'restore-archive':
      return (await import('./commands/restore-archive.ts')).restoreArchiveCommand(invocation, printer);
    case 'init':
      return (await import('./commands/init.ts')).initCommand(invocation, printer);
    case 'prune':
      return (await import('./commands/prune.ts')).pruneCommand(invocation, printer);
    case 'run-due':
      return (await import('./commands/run-due.ts')).runDueCommand(invocation, printer);
    case 'coverage':
      return (await import('./commands/coverage.ts')).coverageCommand(invocation, printer);
    case 'delete':
      return (await import('./commands/delete.ts')).deleteCommand(invocation, printer);
    case 'copy':
      return (await import('./commands/copy.ts')).copyCommand(invocation, printer);
    case 'key':
      return (await import('./commands/key.ts')).keyCommand(invocation, printer);
    case 'jobs':
      return (await import('./commands/jobs.ts')).jobsCommand(invocation, printer);
    case 'attach':
      return (await import('./commands/attach.ts')).attachCommand(invocation, printer);
    case 'cancel':
      return (await import('./commands/cancel.ts')).cancelCommand(invocation, printer);
    case 'run-job':
      return (await import('./commands/runner.ts')).runnerCommand(invocation);
    case 'demo':
      return (await import('./commands/demo.ts')).demoCommand(invocation, printer);
  }
}

/** Commands whose only effect is their output: losing part of it is a failure. */
const OUTPUT_COMMANDS = new Set<Invocation['command']>([
  'list',
  'jobs',
  'status',
  'coverage',
  'extract',
  'show',
  'search',
  'text',
]);

/**
 * Output that cannot be written does not stop a job: a full log partition must not cost a backup. It is reported when
 * the command is done. `bifract … | head` is not a failure: the reader has closed the pipe.
 */
function watchOutput(): { exitCode(invocation: Invocation): Promise<number> } {
  let lost: NodeJS.ErrnoException | undefined;
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') lost ??= error;
  });
  return {
    async exitCode({ command }) {
      // The result of the last write is known only after another one.
      await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
      if (!lost) return EXIT.done;
      process.stderr.write(`bifract: cannot write to stdout: ${lost.message}\n`);
      return OUTPUT_COMMANDS.has(command) ? EXIT.failed : EXIT.done;
    },
  };
}
