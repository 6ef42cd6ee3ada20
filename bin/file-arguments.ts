import { type Command, Option } from 'commander';
import { BifractError } from '../src/core/errors.ts';
import type { SearchPattern } from '../src/core/index.ts';
import { parseInstant } from '../src/core/policy/instant.ts';

/** Commands on files that are there. */
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

/** Adds the commands on files to the program. */
export function defineFiles(program: Command, choose: Choose) {
  program
    .command('show <target>')
    .description('what a file, or the file of an archive record, is; without reading all of it')
    .action((target: string) => choose({ command: 'show', target }));
  program
    .command('verify [targets...]')
    .description('read files (or those of archive records) to their end and compare them with their records')
    .option('--all', 'every backup and every completed archive', false)
    .option('--quick', 'look at size, ends and trailer only', false)
    .action((targets: string[], { all, quick }: { all: boolean; quick: boolean }) => {
      if (all === targets.length > 0) {
        throw new BifractError('USAGE', 'Name what to verify, or give --all', {
          hint: 'See `bifract verify --help`.',
        });
      }
      choose({ command: 'verify', targets: all ? 'all' : targets, quick });
    });
  defineSearch(program, choose);
  defineMending(program, choose);
}

function defineMending(program: Command, choose: Choose) {
  program
    .command('adopt [files...]')
    .description('give archive files that have no record their record back (default: all there are)')
    .option('--dry-run', 'only show what would be done', false)
    .option('--create-fractals', 'make a fractal anew, under its old id and name, where it is gone', false)
    .action((files: string[], { dryRun, createFractals }: { dryRun: boolean; createFractals: boolean }) =>
      choose({ command: 'adopt', files, dry_run: dryRun, create_fractals: createFractals }),
    );
  program
    .command('clean')
    .description('put right what dead runs left: see `bifract list orphans`')
    .option('--dry-run', 'only show what would be done', false)
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
    .usage('[options] <file|id>... <pattern>')
    .description('rows of archives whose log line holds a text or matches /a regular expression/, as NDJSON')
    .option('--from <time>', 'rows at or after this time (UTC)')
    .option('--to <time>', 'rows before this time (UTC)')
    .addOption(new Option('--regex', 'take the pattern for a regular expression').conflicts('text'))
    .option('--text', 'take the pattern for a text even if it is /between slashes/')
    .option('--limit <n>', 'stop after so many rows', parseLimit)
    .option('--count', 'print only how many rows match, of each file', false)
    .action((words: string[], { from, to, regex, text, limit, count }: SearchFlags) => {
      const targets = words.slice(0, -1);
      const pattern = words.at(-1) ?? '';
      if (targets.length === 0)
        throw new BifractError('USAGE', 'Name a file (or record) and what to look for', {
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
  throw new BifractError('USAGE', `--limit is no count: ${text}`, {
    hint: 'Give a whole number above zero.',
  });
}
