import { Command, CommanderError, Help, Option } from 'commander';
import { BifractError } from '../src/core/contract/errors.ts';
import { type ArchiveInvocation, defineArchive } from './archive-arguments.ts';
import { type ArchiveRestoreInvocation, defineArchiveRestore } from './archive-restore-arguments.ts';
import { type BackupInvocation, defineBackup } from './backup-arguments.ts';
import { defineFiles, type FileInvocation } from './file-arguments.ts';
import { defineJobCommands, type JobInvocation, requireDetachable } from './job-arguments.ts';
import { asSubcommand } from './legacy-flags.ts';
import { defineRestore, type RestoreInvocation } from './restore-arguments.ts';
import { defineSchedule, type ScheduleInvocation } from './schedule-arguments.ts';
import { defineStorage, type StorageInvocation } from './storage-arguments.ts';
import { defineUpkeep, type UpkeepInvocation } from './upkeep-arguments.ts';

/** Flags of every command. */
export interface GlobalFlags {
  dir: string;
  json: boolean;
  quiet: boolean;
  color: boolean;
  readOnly: boolean;
  nonInteractive: boolean;
  yes: boolean;
  /** Run the job in a process of its own. */
  detach?: boolean;
}

/** A command with its own arguments. */
export type Invocation = { flags: GlobalFlags } & (
  | { command: 'console' }
  | BackupInvocation
  | ArchiveInvocation
  | { command: 'list'; what: 'backups' | 'fractals' | 'orphans' }
  | { command: 'list'; what: 'archives'; fractal: string | undefined }
  | { command: 'status' }
  | { command: 'extract'; file: string; output: string | undefined; part: 'content' | 'manifest' | 'raw' }
  | FileInvocation
  | RestoreInvocation
  | ArchiveRestoreInvocation
  | UpkeepInvocation
  | StorageInvocation
  | ScheduleInvocation
  | JobInvocation
  | { command: 'demo'; exec: string | undefined }
  | { command: 'text'; text: string }
);

type Chosen = Invocation extends infer One ? (One extends Invocation ? Omit<One, 'flags'> : never) : never;

export interface ParseOptions {
  version: string;
  env: NodeJS.ProcessEnv;
}

/** Parses `argv` (without node and script). `--help` and `--version` become a `text` command. Throws `USAGE`. */
export function parseArguments(argv: string[], { version, env }: ParseOptions): Invocation {
  let chosen: Chosen = { command: 'console' };
  let text = '';
  const program = define(version, env, (one) => {
    chosen = one;
  });
  let failed = program;
  eachCommand(program, (one) => {
    one.exitOverride((error) => {
      failed = one;
      throw error;
    });
    one.configureOutput({
      writeOut: (part) => {
        text += part;
      },
      writeErr: () => undefined,
    });
  });
  try {
    program.parse(asSubcommand(argv), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.help') throw missingSubcommand(program);
    if (error.exitCode !== 0) throw usageError(error, failed);
    chosen = { command: 'text', text };
  }
  const flags = program.opts<GlobalFlags>();
  if (flags.detach && chosen.command !== 'text') requireDetachable(chosen);
  return { ...chosen, flags } as Invocation;
}

function usageError(error: CommanderError, command: Command): BifractError {
  const [first = ''] = error.message.replace(/^error: /, '').split('\n');
  const unknown = /^too many arguments\. Expected 0 arguments but got \d+: ([^,]+)/.exec(first)?.[1];
  const message = unknown === undefined ? first : `Unknown command: ${unknown.replace(/\.$/, '')}`;
  return new BifractError('USAGE', message, {
    hint: `See \`${fullName(command)} --help\`.`,
    cause: error,
  });
}

/** The error for a command group that was called without a subcommand. */
function missingSubcommand({ args: [name], commands }: Command): BifractError {
  const names = commands.find((one) => one.name() === name)?.commands.map((one) => one.name()) ?? [];
  return new BifractError(
    'USAGE',
    `${name} requires a subcommand: ${names.slice(0, -1).join(', ')} or ${names.at(-1)}`,
    {
      hint: `See \`bifract ${name} --help\`.`,
    },
  );
}

function fullName(command: Command): string {
  return command.parent ? `${fullName(command.parent)} ${command.name()}` : command.name();
}

function eachCommand(command: Command, visit: (one: Command) => void) {
  visit(command);
  for (const child of command.commands) eachCommand(child, visit);
}

function define(version: string, env: NodeJS.ProcessEnv, choose: (chosen: Chosen) => void): Command {
  const program = new Command('bifract')
    .description('Back up, archive and restore a Bifract installation. Without a command: open the console.')
    .version(version, '--version', 'Print the version')
    .helpOption('--help', 'Print help')
    .configureHelp({ optionDescription: describeOption })
    .addOption(
      new Option('--dir <dir>', 'Installation directory').default(
        env.BIFRACT_DIR || '/opt/bifract',
        '$BIFRACT_DIR or /opt/bifract',
      ),
    )
    .option('--json', 'Print NDJSON to stdout', false)
    .option('--quiet', 'Print only results and errors', false)
    .option('--no-color', 'Disable colors')
    .option('--read-only', 'Refuse to change anything', false)
    .option(
      '--non-interactive',
      'Never prompt, and print log lines with UTC timestamps. Answers yes to the prompts of `restore` only; ' +
        'other destructive commands need --yes',
      false,
    )
    .option('--yes', 'Answer yes to every prompt', false)
    .option('--detach', 'Run the job in the background and print its ID', false)
    .addHelpText('after', LEGACY_HELP)
    .action(() => choose({ command: 'console' }));
  defineJobs(program, choose);
  defineQueries(program, choose);
  defineFiles(program, choose);
  defineRestore(program, choose);
  defineArchiveRestore(program, choose);
  defineUpkeep(program, choose);
  defineStorage(program, choose);
  defineSchedule(program, choose);
  defineJobCommands(program, choose);
  return program;
}

const LEGACY_HELP = `
Forms used by existing cron jobs:
  bifract --backup --dir <dir> [--non-interactive]      Same as: bifract backup
  bifract --restore --restore-file <file> --dir <dir>   Same as: bifract restore <file>
  bifract --list-backups --dir <dir>                    Same as: bifract list backups`;

/** Leaves out "(default: false)": a flag is off unless it is given. */
function describeOption(option: Option): string {
  return new Help().optionDescription(option).replace(' (default: false)', '');
}

function defineJobs(program: Command, choose: (chosen: Chosen) => void) {
  defineBackup(program, choose);
  defineArchive(program, choose);
  program
    .command('demo')
    .description('Start a throwaway installation with real databases and open the console on it')
    .option('--exec <command>', 'Run a shell command in it instead of the console')
    .action(({ exec }: { exec?: string }) => choose({ command: 'demo', exec }));
}

function defineQueries(program: Command, choose: (chosen: Chosen) => void) {
  const list = program
    .command('list')
    .description('List backups, fractals, archives or orphans')
    .helpCommand('help [command]', 'Print help for a command');
  list
    .command('backups')
    .description('List backup files, newest first')
    .action(() => choose({ command: 'list', what: 'backups' }));
  list
    .command('fractals')
    .description('List fractals')
    .action(() => choose({ command: 'list', what: 'fractals' }));
  list
    .command('archives')
    .description('List archives, newest first')
    .option('--fractal <fractal>', 'Only archives of this fractal (name or ID)')
    .action(({ fractal }: { fractal?: string }) => choose({ command: 'list', what: 'archives', fractal }));
  list
    .command('orphans')
    .description(
      'List files without a record, records without a file, and unfinished files of interrupted jobs',
    )
    .action(() => choose({ command: 'list', what: 'orphans' }));
  program
    .command('status')
    .description('Show the health of each part, and since when data is protected')
    .action(() => choose({ command: 'status' }));
  program
    .command('extract <file>')
    .description('Write the plain content of a file: the dump of a backup, the NDJSON of an archive')
    .option('-o, --output <file>', 'Write to a new file instead of stdout')
    .addOption(
      new Option('--manifest', 'Write the manifest of a backup instead of its dump').conflicts('raw'),
    )
    .option('--raw', 'Decrypt only: do not decompress')
    .action(
      (file: string, { output, manifest, raw }: { output?: string; manifest?: boolean; raw?: boolean }) => {
        const part = manifest ? 'manifest' : raw ? 'raw' : 'content';
        choose({ command: 'extract', file, output, part });
      },
    );
}
