import { type Command, Help, type Option } from 'commander';
import { EXAMPLES } from './examples.ts';

/** Adds text below the options, wrapped at the width of the terminal as they are. */
export function addFooter(command: Command, text: string): Command {
  return command.addHelpText('after', () => `\n${wrap(text)}`);
}

function wrap(text: string): string {
  return new Help().boxWrap(text, process.stdout.columns ?? 80);
}

/** What help texts look like, where commander's own format differs. */
export const HELP_FORMAT: Partial<Help> = {
  optionDescription,
  commandUsage: (command) => `${fullName(command)} ${usageOf(command)}`.trim(),
  // Without arguments: next to them, a terminal of 80 columns has no room to wrap the descriptions.
  subcommandTerm: (command) => command.name(),
  showGlobalOptions: true,
  visibleGlobalOptions,
  styleTitle: (title) => title.replace('Global Options', 'Global options'),
};

/** Leaves out "(default: false)": a flag is off unless it is given. */
function optionDescription(option: Option): string {
  return new Help().optionDescription(option).replace(' (default: false)', '');
}

/** Leaves out "[options]" where `--help` is the only one. */
function usageOf(command: Command): string {
  return command.options.length > 0 ? command.usage() : command.usage().replace(/\[options\] ?/, '');
}

/** Those of all parents, except for what is no option of this command. */
function visibleGlobalOptions(command: Command): Option[] {
  const parents = new Help();
  parents.showGlobalOptions = true;
  return parents.visibleGlobalOptions(command).filter(({ long }) => long !== '--version');
}

/** Adds the examples of a command and its subcommands below their options. */
export function addExamples(command: Command): void {
  const [, ...names] = fullName(command).split(' ');
  const examples = EXAMPLES[names.join(' ')] ?? [];
  if (examples.length > 0)
    command.addHelpText('after', () =>
      [
        '',
        'Examples:',
        ...examples.flatMap(([purpose, line]) => [`  # ${purpose}`, ...shellLines(line)]),
      ].join('\n'),
    );
  command.commands.forEach(addExamples);
}

/** A command line, continued on a second line where 80 columns are not enough. */
function shellLines(line: string): string[] {
  if (line.length <= 78) return [`  ${line}`];
  const at = line.indexOf(' --');
  return [`  ${line.slice(0, at)} \\`, `      ${line.slice(at + 1)}`];
}

/** Of a subcommand with the names of its parents. */
export function fullName(command: Command): string {
  return command.parent ? `${fullName(command.parent)} ${command.name()}` : command.name();
}

/** What `<target>` can be for commands that read files. `id` says whose ID. */
export function targetHelp(id: string, argument = '<target>'): string {
  return `${argument} is a path, a name in storage, or the ID of ${id} (\`bifract list archives [--json]\`). The suffix of a name and all but the first 8 characters of an ID may be left out; \`latest\` is the newest one.`;
}
