import { Command, CommanderError, Option } from 'commander';
import { BifractError } from '../src/core/errors.ts';
import { type ArchiveInvocation, defineArchive } from './archive-arguments.ts';
import { type ArchiveRestoreInvocation, defineArchiveRestore } from './archive-restore-arguments.ts';
import { type BackupInvocation, defineBackup } from './backup-arguments.ts';
import { defineFiles, type FileInvocation } from './file-arguments.ts';
import { defineJobCommands, type JobInvocation, mustDetach } from './job-arguments.ts';
import { asSubcommand } from './legacy-flags.ts';
import { defineRestore, type RestoreInvocation } from './restore-arguments.ts';
import { defineSchedule, type ScheduleInvocation } from './schedule-arguments.ts';
import { defineStorage, type StorageInvocation } from './storage-arguments.ts';
import { defineUpkeep, type UpkeepInvocation } from './upkeep-arguments.ts';

/** Flags that every command takes. */
export interface GlobalFlags {
  dir: string;
  json: boolean;
  quiet: boolean;
  color: boolean;
  readOnly: boolean;
  nonInteractive: boolean;
  yes: boolean;
  /** Leave the job to a process of its own. */
  detach?: boolean;
}

/** What the user asked for: a command, and its own arguments. */
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

/** The invocation that `argv` (without node and script) asks for. Throws `USAGE`. `--help` and `--version` are a text. */
export function parseArguments(argv: string[], { version, env }: ParseOptions): Invocation {
  let chosen: Chosen = { command: 'console' };
  let text = '';
  const program = define(version, env, (one) => {
    chosen = one;
  });
  let ended = program;
  eachCommand(program, (one) => {
    one.exitOverride((error) => {
      ended = one;
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
    if (error.code === 'commander.help') throw incomplete(program);
    if (error.exitCode !== 0) throw usageError(error, ended);
    chosen = { command: 'text', text };
  }
  const flags = program.opts<GlobalFlags>();
  if (flags.detach && chosen.command !== 'text') mustDetach(chosen);
  return { ...chosen, flags } as Invocation;
}

function usageError(error: CommanderError, command: Command): BifractError {
  const [first = ''] = error.message.replace(/^error: /, '').split('\n');
  const unknown = /^too many arguments\. Expected 0 arguments but got \d+: ([^,]+)/.exec(first)?.[1];
  const message = unknown === undefined ? first : `There is no command ${unknown.replace(/\.$/, '')}`;
  return new BifractError('USAGE', message, {
    hint: `See \`${fullName(command)} --help\`.`,
    cause: error,
  });
}

/** A command that is nothing without one of its own was given alone. */
function incomplete({ args: [name], commands }: Command): BifractError {
  const own = commands.find((one) => one.name() === name)?.commands.map((one) => one.name()) ?? [];
  return new BifractError(
    'USAGE',
    `${name} needs to know what: ${own.slice(0, -1).join(', ')} or ${own.at(-1)}`,
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
    .description('Backups and archives of a Bifract installation. Without a command: the console.')
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .addOption(new Option('--dir <dir>', 'installation directory').default(env.BIFRACT_DIR || '/opt/bifract'))
    .option('--json', 'print NDJSON on stdout', false)
    .option('--quiet', 'print results and errors only', false)
    .option('--no-color', 'plain text')
    .option('--read-only', 'refuse everything that changes something', false)
    .option('--non-interactive', 'never ask; print log lines with a UTC timestamp', false)
    .option('--yes', 'answer yes to what would be asked', false)
    .option('--detach', 'leave the job running in the background, and print its id', false)
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
Forms of existing cron lines:
  bifract --backup --dir DIR [--non-interactive]     the same as: bifract backup
  bifract --restore --restore-file FILE --dir DIR    the same as: bifract restore FILE
  bifract --list-backups --dir DIR                   the same as: bifract list backups`;

function defineJobs(program: Command, choose: (chosen: Chosen) => void) {
  defineBackup(program, choose);
  defineArchive(program, choose);
  program
    .command('demo')
    .description('a throw-away installation with real services, and the console on it')
    .option('--exec <cmd>', 'run CMD in it instead of the console')
    .action(({ exec }: { exec?: string }) => choose({ command: 'demo', exec }));
}

function defineQueries(program: Command, choose: (chosen: Chosen) => void) {
  const list = program.command('list').description('list backups, fractals, archives or orphans');
  list
    .command('backups')
    .description('backup files, newest first')
    .action(() => choose({ command: 'list', what: 'backups' }));
  list
    .command('fractals')
    .description('log spaces')
    .action(() => choose({ command: 'list', what: 'fractals' }));
  list
    .command('archives')
    .description('archives, newest first')
    .option('--fractal <fractal>', 'only those of this fractal (name or id)')
    .action(({ fractal }: { fractal?: string }) => choose({ command: 'list', what: 'archives', fractal }));
  list
    .command('orphans')
    .description('files without a record, records without a file, leftovers of dead runs')
    .action(() => choose({ command: 'list', what: 'orphans' }));
  program
    .command('status')
    .description('health of each part')
    .action(() => choose({ command: 'status' }));
  program
    .command('extract <file>')
    .description('the plain content of a file: the dump of a backup, the NDJSON of an archive')
    .option('-o, --output <out>', 'write to OUT instead of stdout')
    .addOption(new Option('--manifest', 'the manifest of a backup instead of its dump').conflicts('raw'))
    .option('--raw', 'decrypt only: the bytes as they are inside the encryption')
    .action(
      (file: string, { output, manifest, raw }: { output?: string; manifest?: boolean; raw?: boolean }) => {
        const part = manifest ? 'manifest' : raw ? 'raw' : 'content';
        choose({ command: 'extract', file, output, part });
      },
    );
}
