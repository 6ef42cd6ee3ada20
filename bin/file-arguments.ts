import { type Command, Option } from 'commander';
import { BifractError } from '../src/core/contract/errors.ts';
import type { SearchPattern } from '../src/core/index.ts';
import { parseInstant } from '../src/core/policy/instant.ts';

/** Commands on existing files. */
export type FileInvocation =
  | { command: 'verify'; targets: string[] | 'all'; quick: boolean }
  | { command: 'show'; target: string }
  | {
      command: 'search';
      targets: string[];
      pattern: SearchPattern;
      from: string | undefined;
      to: string | undefined;
      limit: number | undefined;
      count: boolean;
    }
  | { command: 'adopt'; files: string[]; dry_run: boolean; create_fractals: boolean }
  | { command: 'clean'; dry_run: boolean };

type Choose = (chosen: FileInvocation) => void;

export function defineFiles(program: Command, choose: Choose) {
  program
    .command('show <target>')
    .description('Show what a file or archive record is, without reading all of it')
    .action((target: string) => choose({ command: 'show', target }));
  program
    .command('verify [targets...]')
    .description('Verify files: read them in full and compare them with their records')
    .option('--all', 'Verify every backup and every completed archive', false)
    .option('--quick', 'Check only size, header and trailer', false)
    .action((targets: string[], { all, quick }: { all: boolean; quick: boolean }) => {
      if (all === targets.length > 0) {
        throw new BifractError('USAGE', all ? '--all cannot be combined with targets' : 'No targets given', {
          hint: 'Name files or archive IDs, or pass --all.',
        });
      }
      choose({ command: 'verify', targets: all ? 'all' : targets, quick });
    });
  defineSearch(program, choose);
  defineRepair(program, choose);
}

function defineRepair(program: Command, choose: Choose) {
  program
    .command('adopt [files...]')
    .description('Recreate the records of archive files that have none (default: all such files)')
    .option('--dry-run', 'Show the plan and change nothing', false)
    .option('--create-fractals', 'Recreate missing fractals under their old ID and name', false)
    .action((files: string[], { dryRun, createFractals }: { dryRun: boolean; createFractals: boolean }) =>
      choose({ command: 'adopt', files, dry_run: dryRun, create_fractals: createFractals }),
    );
  program
    .command('clean')
    .description('Clean up after interrupted jobs: mark their records as failed, delete unfinished files')
    .option('--dry-run', 'Show the plan and change nothing', false)
    .action(({ dryRun }: { dryRun: boolean }) => choose({ command: 'clean', dry_run: dryRun }));
}

interface SearchFlags {
  from?: string;
  to?: string;
  regex?: boolean;
  text?: boolean;
  limit?: number;
  count: boolean;
}

function defineSearch(program: Command, choose: Choose) {
  program
    .command('search <targets-and-pattern...>')
    .usage('[options] <target>... <pattern>')
    .description(
      'Search archives for log lines that contain a text or match /a regular expression/, and print the rows as NDJSON',
    )
    .option('--from <time>', 'Only rows at or after this time (UTC)')
    .option('--to <time>', 'Only rows before this time (UTC)')
    .addOption(new Option('--regex', 'Treat the pattern as a regular expression').conflicts('text'))
    .option('--text', 'Treat the pattern as text, even if it is /between slashes/')
    .option('--limit <n>', 'Stop after <n> rows', parseLimit)
    .option('--count', 'Print only the number of matching rows per target', false)
    .action((operands: string[], { from, to, regex, text, limit, count }: SearchFlags) => {
      const targets = operands.slice(0, -1);
      const pattern = operands.at(-1) ?? '';
      if (targets.length === 0)
        throw new BifractError('USAGE', 'search requires a target and a pattern', {
          hint: 'See `bifract search --help`.',
        });
      choose({
        command: 'search',
        targets,
        pattern: patternOf(pattern, { regex, text }),
        from: from === undefined ? undefined : parseInstant(from, '--from'),
        to: to === undefined ? undefined : parseInstant(to, '--to'),
        limit,
        count,
      });
    });
}

function patternOf(pattern: string, { regex, text }: { regex?: boolean; text?: boolean }): SearchPattern {
  if (regex) return { regex: pattern };
  const slashed = text ? null : /^\/(.+)\/([a-z]*)$/s.exec(pattern);
  return slashed ? { regex: slashed[1] ?? '', flags: slashed[2] ?? '' } : { text: pattern };
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (Number.isSafeInteger(limit) && limit > 0) return limit;
  throw new BifractError('USAGE', `Not a valid --limit: ${text}`, {
    hint: 'Pass a whole number above zero.',
  });
}
