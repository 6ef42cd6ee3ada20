import { Option } from 'commander';
import { BifractError } from '../../src/core/contract/errors.ts';
import { defineCommand } from '../command.ts';

const CANCEL_LIMIT_MS = 20_000;
/** Releases to choose from, by when they came out. */
const RELEASES = { march: 'A', june: 'D', today: 'H' } as const;
type ReleaseName = keyof typeof RELEASES;

export const command = defineCommand<{ exec?: string; generation: ReleaseName }>({
  declare(command, choose) {
    command
      .description('Start a throwaway installation with real databases and open the console on it')
      .option('--exec <command>', 'Run a shell command in it instead of the console')
      .addOption(
        new Option('--generation <release>', 'Release of Bifract whose tables and data it has')
          .choices(Object.keys(RELEASES))
          .default('today'),
      )
      .action(choose);
  },
  async run({ exec, generation }, { flags, printer }) {
    const terminal = process.stdin.isTTY && process.stdout.isTTY && process.env.TERM !== 'dumb';
    if (exec === undefined && !terminal) {
      throw new BifractError('NO_TERMINAL', 'The console of the demo needs a terminal', {
        hint: "Run a command instead: bifract demo --exec 'bifract status'.",
      });
    }
    const { runDemo } = await import('../demo/command.ts');
    return runDemo({
      generation: RELEASES[generation],
      exec,
      openConsole: async (dir) => {
        const { openDemoConsole } = await import('./console.ts');
        return openDemoConsole({ flags: { ...flags, dir }, printer });
      },
      cancelJobs,
    });
  },
});

/** Empties the queue, cancels running jobs and waits until they have ended. */
async function cancelJobs(dir: string): Promise<void> {
  const { openJobs } = await import('../wiring.ts');
  const { jobBus, queue } = openJobs(dir);
  if ((await queue.read()).length > 0) await queue.change(() => []);
  for (const id of await jobBus.ids()) {
    if (!(await jobBus.find(id))?.live) continue;
    await jobBus.cancel(id).catch(() => undefined);
    for await (const _ of jobBus.follow(id, { signal: AbortSignal.timeout(CANCEL_LIMIT_MS) }));
  }
}
