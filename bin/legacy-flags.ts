import { BifractError } from '../src/core/errors.ts';

const VERBS: Record<string, string[]> = {
  '--backup': ['backup'],
  '--restore': ['restore'],
  '--list-backups': ['list', 'backups'],
};

/**
 * The arguments with the flag forms of existing cron lines (`--backup`, `--restore --restore-file F`,
 * `--list-backups`) turned into their subcommands. Everything after `--` stays as it is.
 */
export function asSubcommand(argv: string[]): string[] {
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length;
  const [own, rest] = [argv.slice(0, end), argv.slice(end)];
  const verbs = own.filter((word) => word in VERBS);
  if (verbs.length === 0) return argv;
  if (new Set(verbs).size > 1) {
    throw new BifractError('USAGE', `${verbs.join(' and ')} exclude each other`, {
      hint: 'Call bifract once for each.',
    });
  }
  const { file, others } = takeFile(own.filter((word) => !(word in VERBS)));
  return [...(VERBS[verbs[0] as string] ?? []), ...(file === undefined ? [] : [file]), ...others, ...rest];
}

function takeFile(words: string[]): { file: string | undefined; others: string[] } {
  const at = words.findIndex((word) => word === '--restore-file' || word.startsWith('--restore-file='));
  if (at < 0) return { file: undefined, others: words };
  const word = words[at] as string;
  if (word.includes('=')) return { file: word.slice(word.indexOf('=') + 1), others: words.toSpliced(at, 1) };
  return { file: words[at + 1], others: words.toSpliced(at, 2) };
}
