import { BifractError } from '../../src/core/contract/errors.ts';
import type { JobEvent } from '../../src/core/index.ts';
import type { JobBus } from '../../src/core/ports/job-bus.ts';
import type { Invocation } from '../arguments.ts';
import type { Printer } from '../printer.ts';

const CANCEL_LIMIT_MS = 20_000;

type DemoInvocation = Extract<Invocation, { command: 'demo' }>;

/** Runs the demo. */
export async function demoCommand({ exec, flags }: DemoInvocation, printer: Printer): Promise<number> {
  const terminal = process.stdin.isTTY && process.stdout.isTTY && process.env.TERM !== 'dumb';
  if (exec === undefined && !terminal) {
    throw new BifractError('NO_TERMINAL', 'The console of the demo needs a terminal', {
      hint: "Run a command instead: bifract demo --exec 'bifract status'.",
    });
  }
  const { runDemo } = await import('../demo/command.ts');
  return runDemo({
    exec,
    openConsole: async (dir) => {
      const { consoleCommand } = await import('./console.ts');
      return consoleCommand({ command: 'console', flags: { ...flags, dir } }, printer, { list_jobs: false });
    },
    cancelJobs: async (dir) => {
      const { openJobBus } = await import('../wiring.ts');
      await cancelJobs(openJobBus(dir));
    },
  });
}

/** Cancels running jobs and waits until they have ended. */
async function cancelJobs(jobBus: JobBus<JobEvent>): Promise<void> {
  for (const id of await jobBus.ids()) {
    if (!(await jobBus.find(id))?.live) continue;
    await jobBus.cancel(id).catch(() => undefined);
    for await (const _ of jobBus.follow(id, { signal: AbortSignal.timeout(CANCEL_LIMIT_MS) }));
  }
}
