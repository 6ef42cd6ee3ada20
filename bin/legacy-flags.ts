import { BifractError } from '../src/core/contract/errors.ts';

const COMMANDS: Record<string, string[]> = {
  '--backup': ['backup'],
  '--restore': ['restore'],
  '--list-backups': ['list', 'backups'],
};

/**
 * Turns the flag forms of existing cron jobs (`--backup`, `--restore --restore-file F`, `--list-backups`) into their
 * subcommands. Everything after `--` is left alone.
 */
export function asSubcommand(argv: string[]): string[] {
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length;
  const [before, rest] = [argv.slice(0, end), argv.slice(end)];
  const flags = before.filter((arg) => arg in COMMANDS);
  if (flags.length === 0) return argv;
  if (new Set(flags).size > 1) {
    throw new BifractError('USAGE', `${flags.join(' and ')} cannot be combined`, {
      hint: 'Run bifract once for each.',
    });
  }
  const { file, others } = takeFile(before.filter((arg) => !(arg in COMMANDS)));
  return [...(COMMANDS[flags[0] as string] ?? []), ...(file === undefined ? [] : [file]), ...others, ...rest];
}

function takeFile(args: string[]): { file: string | undefined; others: string[] } {
  const at = args.findIndex((arg) => arg === '--restore-file' || arg.startsWith('--restore-file='));
  if (at < 0) return { file: undefined, others: args };
  const arg = args[at] as string;
  if (arg.includes('=')) return { file: arg.slice(arg.indexOf('=') + 1), others: args.toSpliced(at, 1) };
  return { file: args[at + 1], others: args.toSpliced(at, 2) };
}
