import { type Command, CommanderError } from 'commander';
import { BifractError } from '../src/core/contract/errors.ts';
import type { CommandCall, GlobalFlags, ProgramCommand } from './command.ts';
import { COMMANDS } from './command-table.ts';
import { RUN_COMPLETE } from './completion/hidden.ts';
import { defineProgram, find } from './define-program.ts';
import { addExamples, fullName } from './help.ts';
import { asSubcommand } from './legacy-flags.ts';

/** A parsed command line. */
export interface ProgramCall extends CommandCall {
  /** `console` without a command, `help` for `--help` and `--version`. */
  name: string;
  flags: GlobalFlags;
  /** See `ProgramCommand`. */
  only_output: boolean;
}

interface ParseOptions {
  version: string;
  env: NodeJS.ProcessEnv;
}

/** Parses `argv` (without node and script) and loads the file of the command. Throws `USAGE`. */
export async function parseArguments(argv: string[], { version, env }: ParseOptions): Promise<ProgramCall> {
  const program = defineProgram(version, env);
  for (const name of Object.keys(INTERNAL)) program.command(name, { hidden: true });
  const args = asSubcommand(argv);
  const output = { text: '', failed: program };
  let call: Omit<ProgramCall, 'flags'> | undefined;
  try {
    capture(program, output);
    for (const name of namesToLoad(program, args)) {
      const { declare, detachable, only_output = false } = (await load(name)).command;
      declare(name === 'console' ? program : find(program, name), (chosen) => {
        requireDetachable(name, detachable, program.opts());
        call = { name, only_output, ...chosen };
      });
    }
    addExamples(program);
    capture(program, output);
    program.parse(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) call = helpCall(output.text);
    else if (error.code === 'commander.help') throw missingSubcommand(output.failed);
    else throw usageError(error, output.failed);
  }
  return { ...(call as Omit<ProgramCall, 'flags'>), flags: program.opts() };
}

/** Commands that other programs call: our own, and shells. */
const INTERNAL: Record<string, () => Promise<{ command: ProgramCommand }>> = {
  'run-job': () => import('./jobs/run-job.ts'),
  'run-queue': () => import('./jobs/run-queue.ts'),
  [RUN_COMPLETE]: () => import('./completion/complete-words.ts'),
};

/** The command that is called; all of them for the help of the program; none if there is no such command. */
function namesToLoad(program: Command, args: string[]): string[] {
  const { operands, unknown } = program.parseOptions(args);
  const [name] = operands[0] === 'help' ? operands.slice(1) : operands;
  if (name !== undefined) return name in COMMANDS || name in INTERNAL ? [name] : [];
  const help = operands.length > 0 || unknown.some((flag) => flag === '--help' || flag === '-h');
  return help ? Object.keys(COMMANDS) : ['console'];
}

function load(name: string): Promise<{ command: ProgramCommand }> {
  if (name === 'console') return import('./commands/console.ts');
  const { load } = COMMANDS[name] ?? { load: INTERNAL[name] as (typeof INTERNAL)[string] };
  return load();
}

function requireDetachable(name: string, detachable: true | undefined, { detach }: GlobalFlags): void {
  if (detach && !detachable) throw new BifractError('USAGE', `${name} does not support --detach`);
}

/** Collects what commander prints, and notes the command whose arguments are wrong instead of exiting. */
function capture(command: Command, output: { text: string; failed: Command }): void {
  command.exitOverride((error) => {
    output.failed = command;
    throw error;
  });
  command.configureOutput({
    writeOut: (part) => {
      output.text += part;
    },
    writeErr: () => undefined,
  });
  for (const child of command.commands) capture(child, output);
}

function helpCall(text: string): Omit<ProgramCall, 'flags'> {
  const run = async () => {
    process.stdout.write(text);
    return 0;
  };
  return { name: 'help', input: { text }, run, only_output: true };
}

function usageError(error: CommanderError, command: Command): BifractError {
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const question = suggestion === undefined ? '' : `${suggestion.replace(/^\(|\)$/g, '')} `;
  return new BifractError('USAGE', message, {
    hint: `${question}See \`${fullName(command)} --help\`.`,
    cause: error,
  });
}

/** The error for a command group that was called without a subcommand. */
function missingSubcommand(group: Command): BifractError {
  const names = group.commands.map((one) => one.name());
  return new BifractError(
    'USAGE',
    `${group.name()} requires a subcommand: ${names.slice(0, -1).join(', ')} or ${names.at(-1)}`,
    { hint: `See \`${fullName(group)} --help\`.` },
  );
}
