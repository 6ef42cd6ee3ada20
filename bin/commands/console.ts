import type { Preferences } from '../../src/components/index.tsx';
import { BifractError } from '../../src/core/contract/errors.ts';
import type { Engine } from '../../src/core/index.ts';
import { sanitize } from '../../src/core/text/sanitize.ts';
import { type Context, defineCommand } from '../command.ts';
import { statusLines } from '../output/status-lines.ts';
import { openEngine, withEngine } from '../session.ts';
import { readStatus } from './status.ts';

const LISTED_JOBS = 5;

/** What the program does without a command. */
export const command = defineCommand<object>({
  declare(program, choose) {
    program.action(() => choose({}));
  },
  async run(_input, context) {
    if (!hasTerminal()) return withoutTerminal(context);
    const { engine, error } = await openConsole(context);
    await listRunningJobs(engine);
    if (error) throw error;
    return 0;
  },
});

/** Opens the console on a throwaway installation. */
export async function openDemoConsole(context: Context): Promise<number> {
  const { error } = await openConsole(context);
  if (error) throw error;
  return 0;
}

async function openConsole({ flags }: Context): Promise<{ engine: Engine; error: unknown }> {
  const { stdin, stdout, env } = process;
  const color = flags.color && !env.NO_COLOR;
  if (!color) env.FORCE_COLOR = '0';
  const [engine, { openConsole: open }] = await Promise.all([
    openEngine(flags, { shared: true }),
    import('../../src/components/index.tsx'),
  ]);
  const { error } = await open(engine, { stdin, stdout, color, preferences: openPreferences });
  await closeEngine(engine);
  return { engine, error };
}

async function listRunningJobs(engine: Engine): Promise<void> {
  const running = (await engine.knownJobs().catch(() => [])).filter(({ live }) => live);
  if (running.length === 0) return;
  const lines = [
    'Still running:',
    ...running.slice(0, LISTED_JOBS).map(({ id, title }) => `  bifract attach ${id}  ${sanitize(title)}`),
    ...(running.length > LISTED_JOBS ? [`  bifract jobs  (${running.length - LISTED_JOBS} more)`] : []),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Cancelled jobs may take a moment to clean up, and the screen is already closed. */
async function closeEngine(engine: Engine): Promise<void> {
  const slow = setTimeout(() => process.stderr.write('Waiting for jobs to clean up …\n'), 300);
  await engine.close();
  clearTimeout(slow);
}

/** Preferences of the console, kept in the user's configuration folder. */
async function openPreferences(): Promise<Preferences> {
  const { default: Conf } = await import('conf');
  const store = new Conf<Record<string, unknown>>({
    projectName: 'bifract',
    projectSuffix: '',
    clearInvalidConfig: true,
  });
  return {
    get: (key) => store.get(key),
    set(key, value) {
      try {
        store.set(key, value);
      } catch {
        // Without a writable home, the choice holds for this run only.
      }
    },
  };
}

function hasTerminal(): boolean {
  return process.stdin.isTTY && process.stdout.isTTY && process.env.TERM !== 'dumb';
}

async function withoutTerminal(context: Context): Promise<never> {
  await withEngine(context, async ({ engine, printer, signal }) => {
    const status = await readStatus(engine, signal);
    printer.result(status, statusLines(status));
  });
  const dumb = process.env.TERM === 'dumb';
  const message = dumb
    ? 'The console cannot run on a terminal with TERM=dumb'
    : 'The console needs a terminal on stdin and stdout';
  throw new BifractError('NO_TERMINAL', message, {
    hint: `${dumb ? 'Set TERM to the type of your terminal. ' : ''}For scripts and cron, see \`bifract --help\`.`,
  });
}
