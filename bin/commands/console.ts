import { resolve } from 'node:path';
import type { ConsoleEnd, Preferences } from '../../src/components/index.tsx';
import { colorLevel } from '../../src/components/text/colors.ts';
import { BifractError } from '../../src/core/contract/errors.ts';
import { asBifractError, createUnavailableEngine, type Engine } from '../../src/core/index.ts';
import { sanitize } from '../../src/core/text/sanitize.ts';
import { type Context, defineCommand, type GlobalFlags } from '../command.ts';
import { writeExport } from '../export-file.ts';
import { statusLines } from '../output/status-lines.ts';
import { openEngine, withEngine } from '../session.ts';
import { VERSION } from '../version.ts';
import { readStatus } from './status.ts';

const LISTED_JOBS = 5;

/** What the program does without a command. */
export const command = defineCommand<object>({
  declare(program, choose) {
    program.action(() => choose({}));
  },
  async run(_input, context) {
    if (!hasTerminal(context.flags)) return withoutTerminal(context);
    const { engine, error } = await openConsole(context);
    await listRunningJobs(engine);
    if (error) throw error;
    return 0;
  },
});

/** Opens the console on a throwaway installation. */
export async function openDemoConsole(context: Context): Promise<number> {
  const { error } = await openConsole(context, 'this is a throwaway installation');
  if (error) throw error;
  return 0;
}

/** Opens the console on one installation after the other, as the user switches; `fixed` is why that is not possible. */
async function openConsole(
  { flags }: Context,
  fixed = overriddenBy(process.env),
): Promise<{ engine: Engine; error: unknown }> {
  const console = loadConsole(flags, fixed);
  const open = async (dir: string): Promise<{ engine: Engine; error: unknown }> => {
    const [engine, show] = await Promise.all([openAny({ ...flags, dir }), console]);
    const { error, next } = await show(engine);
    await closeEngine(engine);
    return next === undefined || error ? { engine, error } : open(next);
  };
  return open(flags.dir);
}

/** The engine of a directory; one that explains what is missing if there is no installation in it. */
async function openAny(flags: GlobalFlags): Promise<Engine> {
  try {
    return await openEngine(flags, { shared: true });
  } catch (thrown) {
    const error = asBifractError(thrown);
    if (error.code !== 'ENV_MISSING' && error.code !== 'ENV_INVALID') throw thrown;
    const dir = resolve(flags.dir);
    const installation = { dir, key_id: null, storage: '', read_only: true, version: VERSION };
    return createUnavailableEngine(installation, error);
  }
}

/** Variables that take precedence over `.env`: two installations would get the same database or key. */
const OVERRIDING = /^(BIFRACT_(?!DIR$|DEBUG$)|POSTGRES_|CLICKHOUSE_|PGSSL)/;

function overriddenBy(env: NodeJS.ProcessEnv): string | undefined {
  const name = Object.keys(env).find((one) => OVERRIDING.test(one) && env[one]);
  return name && `${name} is set in the environment and would apply to every installation`;
}

/** Loads the full-screen console, or the one for screen readers. */
async function loadConsole(
  flags: GlobalFlags,
  fixed?: string,
): Promise<(engine: Engine) => Promise<ConsoleEnd>> {
  const { stdin, stdout, env } = process;
  const options = { stdin, stdout, fixed, preferences: openPreferences };
  if (flags.screenReader) {
    const { openLineConsole } = await import('../../src/components/line-console.ts');
    return (engine) => openLineConsole(engine, options);
  }
  const { openConsole: open } = await loadInk(env);
  const colors = colorLevel(env, flags.color);
  const { theme, ascii } = flags;
  const look = { colors, theme, utf8: ascii ? false : undefined };
  return (engine) =>
    open(engine, {
      ...options,
      ...look,
      writeFile: (name, content, signal) => writeExport(engine.installation.dir, name, content, signal),
    });
}

/** Loads the full-screen console with Ink's color library at its highest level: what to draw is decided by the theme. */
async function loadInk(env: NodeJS.ProcessEnv): Promise<typeof import('../../src/components/index.tsx')> {
  const { FORCE_COLOR } = env;
  env.FORCE_COLOR = '3';
  const loaded = await import('../../src/components/index.tsx');
  if (FORCE_COLOR === undefined) delete env.FORCE_COLOR;
  else env.FORCE_COLOR = FORCE_COLOR;
  return loaded;
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

function hasTerminal({ screenReader }: GlobalFlags): boolean {
  const { stdin, stdout, env } = process;
  return stdin.isTTY && stdout.isTTY && (screenReader || env.TERM !== 'dumb');
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
