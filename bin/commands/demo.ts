import { BifractError } from '../../src/core/errors.ts';
import type { Invocation } from '../arguments.ts';
import type { Printer } from '../printer.ts';

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
      return consoleCommand({ command: 'console', flags: { ...flags, dir } }, printer);
    },
  });
}
