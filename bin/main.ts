import { asBifractError, EXIT } from '../src/core/contract/errors.ts';
import { makePrinter } from './output/make-printer.ts';
import { type ProgramCall, parseArguments } from './program.ts';
import { VERSION } from './version.ts';

/** Runs the program with the given arguments and sets the process's exit code. Never throws. */
export async function main(argv: string[]): Promise<void> {
  const output = watchOutput();
  let printer = makePrinter({ json: argv.includes('--json') }, process);
  try {
    const call = await parseArguments(argv, { version: VERSION, env: process.env });
    printer = makePrinter(call.flags, process);
    const exit = await call.run({ flags: call.flags, printer });
    process.exitCode = exit || (await output.exitCode(call));
  } catch (thrown) {
    const error = asBifractError(thrown);
    printer.failed(error.report());
    if (error.code === 'INTERNAL' && process.env.BIFRACT_DEBUG) console.error(error.cause);
    process.exitCode = error.exitCode;
  }
}

/**
 * Output that cannot be written does not stop a job: a full log partition must not make a backup fail. It is reported when
 * the command is done. `bifract … | head` is not a failure: the reader has closed the pipe.
 */
function watchOutput(): { exitCode(call: ProgramCall): Promise<number> } {
  let lost: NodeJS.ErrnoException | undefined;
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') lost ??= error;
  });
  return {
    async exitCode({ only_output }) {
      // The result of the last write is known only after another one.
      await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
      if (!lost) return EXIT.done;
      process.stderr.write(`bifract: cannot write to stdout: ${lost.message}\n`);
      return only_output ? EXIT.failed : EXIT.done;
    },
  };
}
