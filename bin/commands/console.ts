import { sanitize } from '../../src/components/view/sanitize.ts';
import { BifractError } from '../../src/core/errors.ts';
import type { Engine } from '../../src/core/index.ts';
import type { Invocation } from '../arguments.ts';
import { openPreferences } from '../preferences.ts';
import { statusLines } from '../print/status.ts';
import type { Printer } from '../printer.ts';
import { openEngine, withEngine } from '../session.ts';
import { gather } from './status.ts';

const TOLD = 5;

type ConsoleInvocation = Extract<Invocation, { command: 'console' }>;

/** Opens the console where there is a terminal; else tells the status, how to go on, and exits 2. */
export async function consoleCommand(
  invocation: ConsoleInvocation,
  printer: Printer,
  { lasting = true }: { /** The installation outlives the console. */ lasting?: boolean } = {},
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
  if (lasting) await tellGoingOn(engine);
  if (error) throw error;
  return 0;
}

/** Whoever leaves while jobs run is told how to find them again. */
async function tellGoingOn(engine: Engine): Promise<void> {
  const running = (await engine.knownJobs().catch(() => [])).filter(({ live }) => live);
  for (const { id, title } of running.slice(0, TOLD))
    process.stdout.write(`${sanitize(title)} goes on: bifract attach ${id}\n`);
  if (running.length > TOLD) process.stdout.write(`${running.length - TOLD} more go on: bifract jobs\n`);
}

/** Jobs that were told to stop remove what they had written: that takes a moment, and the screen is gone. */
async function closeEngine(engine: Engine): Promise<void> {
  const slow = setTimeout(() => process.stderr.write('Waiting for jobs to clean up …\n'), 300);
  await engine.close();
  clearTimeout(slow);
}

async function withoutTerminal({ flags }: ConsoleInvocation, printer: Printer): Promise<number> {
  await withEngine(flags, async (engine, signal) => {
    const status = await gather(engine, signal);
    printer.result(status, statusLines(status));
  });
  const dumb = process.env.TERM === 'dumb';
  const message = dumb
    ? 'The console cannot draw on a terminal of type dumb'
    : 'The console needs a terminal on stdin and stdout';
  throw new BifractError('NO_TERMINAL', message, {
    hint: `${dumb ? 'Set TERM to what the terminal is. ' : ''}For scripts and cron see \`bifract --help\`.`,
  });
}
