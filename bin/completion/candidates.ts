import { type Argument, type Command, Help, type Option } from 'commander';

/** What a word may be, besides the fixed ones: names that the installation has, or paths. */
export type Kind = 'fractal' | 'backup' | 'archive' | 'group' | 'job' | 'file' | 'folder';

/** A word that can be typed, and what it is. */
export interface Candidate {
  word: string;
  description: string;
}

export interface Candidates {
  words: Candidate[];
  /** Whose names can be typed, too. */
  kinds: readonly Kind[];
}

const NOTHING: Candidates = { words: [], kinds: [] };

/** Kinds of arguments by the name of the command, with those of its parents. */
const ARGUMENTS: Record<string, readonly Kind[]> = {
  adopt: ['file'],
  archive: ['fractal'],
  attach: ['job'],
  cancel: ['job'],
  copy: ['backup', 'archive'],
  coverage: ['fractal'],
  'delete archive': ['archive'],
  'delete backup': ['backup'],
  'delete group': ['group'],
  extract: ['backup', 'archive', 'file'],
  restore: ['backup', 'file'],
  'restore-archive': ['archive', 'group', 'file'],
  schedule: ['fractal'],
  search: ['archive', 'file'],
  show: ['backup', 'archive', 'file'],
  verify: ['backup', 'archive', 'file'],
};

/** Kinds of the values of options. */
const VALUES: Record<string, readonly Kind[]> = {
  '--dir': ['folder'],
  '--fractal': ['fractal'],
  '--into': ['fractal'],
  '--metrics': ['file'],
  '--output': ['file'],
};

/**
 * What can follow the words before the cursor, of which the last is not complete. `program` has the options and subcommands of
 * the command in these words.
 */
export function candidates(program: Command, words: readonly string[]): Candidates {
  const [current = '', ...before] = words.toReversed();
  const typed = before.toReversed();
  const { command, names, value } = follow(program, typed);
  if (value) return valuesOf(value);
  if (typed.includes('--')) return argumentsOf(command, names);
  if (current.startsWith('-')) return { words: optionsOf(command).flatMap(optionWords), kinds: [] };
  const subcommands = new Help().visibleCommands(command);
  if (subcommands.length === 0) return argumentsOf(command, names);
  return {
    words: subcommands.map((one) => ({ word: one.name(), description: one.description() })),
    kinds: [],
  };
}

/** The command that the words call, and the option that waits for its value. */
function follow(program: Command, words: readonly string[]) {
  let command = program;
  let value: Option | undefined;
  const names: string[] = [];
  for (const word of words) {
    if (value) {
      value = undefined;
      continue;
    }
    if (word.startsWith('-')) {
      value = optionsOf(command).find(
        ({ short, long, required }) => required && (word === short || word === long),
      );
      continue;
    }
    const next = command.commands.find((one) => one.name() === word);
    if (!next) continue;
    command = next;
    names.push(word);
  }
  return { command, names, value };
}

/** Those of the command and its parents. */
function optionsOf(command: Command): Option[] {
  const inherited = command.parent ? optionsOf(command.parent) : [];
  return [...command.options, ...inherited].filter(({ hidden }) => !hidden);
}

function optionWords({ long, description }: Option): Candidate[] {
  return long ? [{ word: long, description }] : [];
}

function valuesOf(option: Option): Candidates {
  const words = (option.argChoices ?? []).map((word) => ({ word, description: '' }));
  return { words, kinds: words.length > 0 ? [] : (VALUES[option.long ?? ''] ?? []) };
}

function argumentsOf(command: Command, names: readonly string[]): Candidates {
  if (command.registeredArguments.length === 0) return NOTHING;
  const choices = command.registeredArguments.flatMap(({ argChoices = [] }: Argument) => argChoices);
  return {
    words: choices.map((word) => ({ word, description: '' })),
    kinds: ARGUMENTS[names.join(' ')] ?? [],
  };
}
