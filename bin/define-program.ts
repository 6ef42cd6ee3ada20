import { Command, Option } from 'commander';
import { THEME_CHOICES } from '../src/components/text/colors.ts';
import { COMMANDS } from './command-table.ts';
import { HELP_FORMAT } from './help.ts';

const LEGACY_HELP = `
Forms used by existing cron jobs, and the command that each stands for:
  bifract --backup --dir <dir> [--non-interactive]     bifract backup
  bifract --restore --restore-file <file> --dir <dir>  bifract restore <file>
  bifract --list-backups --dir <dir>                   bifract list backups`;

/** The names and the global flags; the rest is declared by the file of the command that is called. */
export function defineProgram(version: string, env: NodeJS.ProcessEnv): Command {
  const program = new Command('bifract')
    .description('Back up, archive and restore a Bifract installation. Without a command: open the console.')
    .version(version, '-V, --version', 'Print the version')
    .helpOption('-h, --help', 'Print help')
    .configureHelp(HELP_FORMAT)
    .addOption(
      new Option('--dir <dir>', 'Installation directory').default(
        env.BIFRACT_DIR || '/opt/bifract',
        '$BIFRACT_DIR or /opt/bifract',
      ),
    )
    .option('--json', 'Print NDJSON to stdout', false)
    .option('-q, --quiet', 'Print only results and errors', false)
    .option('--no-color', 'Disable colors')
    .addOption(new Option('--theme <theme>', 'Colors of the console').choices(THEME_CHOICES))
    .option('--ascii', 'Draw the console in ASCII', false)
    .option(
      '--screen-reader',
      'Print the console as lines of text, and read commands as lines',
      /^(1|true)$/.test(env.INK_SCREEN_READER ?? ''),
    )
    .option('--read-only', 'Refuse to change anything', false)
    .option('--non-interactive', 'Never prompt; timestamp log lines. Means yes to `restore`', false)
    .option('-y, --yes', 'Answer yes to every prompt', false)
    .option(
      '--detach',
      'Run the job in the background and print its ID (archive, backup, copy, restore, restore-archive, verify)',
      false,
    )
    .addHelpText('after', () => LEGACY_HELP);
  for (const [name, { group }] of Object.entries(COMMANDS)) program.command(name).helpGroup(group);
  program.addHelpCommand(
    new Command('help')
      .argument('[command]')
      .description('Print help for a command')
      .helpGroup('Help and demo:'),
  );
  return program;
}

/** The program with everything that is declared of the command in these words, or of all commands if they name none. */
export async function commandNamed(words: readonly string[]): Promise<Command> {
  const program = defineProgram('', process.env);
  const named = words.filter((word, at) => word in COMMANDS && words[at - 1] !== '--dir').slice(0, 1);
  for (const name of named.length > 0 ? named : Object.keys(COMMANDS))
    (await (COMMANDS[name] as (typeof COMMANDS)[string]).load()).command.declare(
      find(program, name),
      () => undefined,
    );
  return program;
}

/** A command of the program by its name. */
export function find(program: Command, name: string): Command {
  return program.commands.find((one) => one.name() === name) as Command;
}
