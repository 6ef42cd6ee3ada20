import { BifractError } from '../../src/core/contract/errors.ts';
import type { Engine } from '../../src/core/index.ts';
import { sanitize } from '../../src/core/text/sanitize.ts';
import type { Invocation } from '../arguments.ts';
import { openPreferences } from '../preferences.ts';
import { statusLines } from '../print/status.ts';
import type { Printer } from '../printer.ts';
import { openEngine, withEngine } from '../session.ts';
import { readStatus } from './status.ts';

const LISTED_JOBS = 5;

type ConsoleInvocation = Extract<Invocation, { command: 'console' }>;

/** Opens the console; without a terminal, prints the status and throws `NO_TERMINAL`. */
export async function consoleCommand(
  invocation: ConsoleInvocation,
  printer: Printer,
  { list_jobs = true }: { /** List the jobs that are still running afterwards. */ list_jobs?: boolean } = {},
): Promise<number> {
  const { stdin, stdout, env } = process;
  if (!stdin.isTTY || !stdout.isTTY || env.TERM === 'dumb') return withoutTerminal(invocation, printer);
  const color = invocation.flags.color && !env.NO_COLOR;
  if (!color) env.FORCE_COLOR = '0';
  const [engine, { openConsole }] = await Promise.all([
    openEngine(invocation.flags, { shared: true }),
    import('../../src/components/index.tsx'),
  ]);
  const { error } = await openConsole(engine, { stdin, stdout, color, preferences: openPreferences });
  await closeEngine(engine);
  if (list_jobs) await listRunningJobs(engine);
  if (error) throw error;
  return 0;
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

async function withoutTerminal({ flags }: ConsoleInvocation, printer: Printer): Promise<number> {
  await withEngine(flags, async (engine, signal) => {
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
