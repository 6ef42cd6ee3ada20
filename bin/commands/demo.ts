import { BifractError } from '../../src/core/errors.ts';
import type { JobBoard } from '../../src/core/ports/job-board.ts';
import type { Invocation } from '../arguments.ts';
import type { Printer } from '../printer.ts';

const END_MS = 20_000;

type DemoInvocation = Extract<Invocation, { command: 'demo' }>;

/** Runs the demo installation; its parts are loaded only here. */
export async function demoCommand({ exec, flags }: DemoInvocation, printer: Printer): Promise<number> {
  const terminal = process.stdin.isTTY && process.stdout.isTTY && process.env.TERM !== 'dumb';
  if (exec === undefined && !terminal) {
    throw new BifractError('NO_TERMINAL', 'The demo opens the console, which needs a terminal', {
      hint: "Run a command in it instead: bifract demo --exec 'bifract status'",
    });
  }
  const { runDemo } = await import('../demo/command.ts');
  return runDemo({
    exec,
    openConsole: async (dir) => {
      const { consoleCommand } = await import('./console.ts');
      return consoleCommand({ command: 'console', flags: { ...flags, dir } }, printer, { lasting: false });
    },
    endJobs: async (dir) => {
      const { openBoard } = await import('../wiring.ts');
      await endJobs(openBoard(dir));
    },
  });
}

/** Cancels what runs, and waits until it has ended. */
async function endJobs(board: JobBoard): Promise<void> {
  for (const id of await board.ids()) {
    if (!(await board.find(id))?.live) continue;
    await board.cancel(id).catch(() => undefined);
    for await (const _ of board.follow(id, { signal: AbortSignal.timeout(END_MS) }));
  }
}
