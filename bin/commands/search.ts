import { Option } from 'commander';
import { BifractError } from '../../src/core/contract/errors.ts';
import type { SearchHit, SearchPattern } from '../../src/core/index.ts';
import { sanitize } from '../../src/core/text/sanitize.ts';
import { declareTimeRange, type TimeRange } from '../arguments.ts';
import { defineCommand } from '../command.ts';
import { completeNames } from '../complete-name.ts';
import { addFooter, targetHelp } from '../help.ts';
import type { Printer } from '../output/printer.ts';
import { writeStdout } from '../output/stdout.ts';
import { withEngine } from '../session.ts';

interface Input extends TimeRange {
  targets: string[];
  pattern: SearchPattern;
  limit?: number;
  count: boolean;
}

interface Options extends TimeRange {
  regex?: boolean;
  text?: boolean;
  limit?: number;
  count: boolean;
}

/** Without it, a search for words of a line that was not kept would look as if there were no such rows. */
const LINES_MISSING =
  'The server had not kept the original line of some rows: only the text of their fields was searched.\n';

/** Prints matching rows as stored, or their count. Exits 0 even without a match. */
export const command = defineCommand<Input>({
  declare(command, choose) {
    addFooter(command, targetHelp('an archive'))
      .description('Search archives for log lines that contain a string or match a /regex/; print NDJSON')
      .usage('[options] <target>... <pattern>')
      .argument('[targets-and-pattern...]');
    declareTimeRange(command)
      .addOption(new Option('--regex', 'Treat the pattern as a regular expression').conflicts('text'))
      .option('--text', 'Treat the pattern as text, even if it is /between slashes/')
      .option('--limit <n>', 'Stop after <n> rows', parseLimit)
      .option('--count', 'Print only the number of matching rows per target', false)
      .action((operands: string[], { regex, text, ...options }: Options) => {
        const targets = operands.slice(0, -1);
        if (targets.length === 0) {
          throw new BifractError('USAGE', 'search requires a target and a pattern', {
            hint: 'See `bifract search --help`.',
          });
        }
        choose({ targets, pattern: patternOf(operands.at(-1) ?? '', { regex, text }), ...options });
      });
  },
  run: ({ targets: typed, pattern, from, to, limit, count }, context) =>
    withEngine(context, async (session) => {
      const { engine, printer, flags, signal } = session;
      const targets = await completeNames(session, typed, 'archive');
      let lacks_lines = false;
      const onLinesMissing = () => {
        lacks_lines = true;
      };
      const hits = limited(engine.search({ targets, pattern, from, to, onLinesMissing }, { signal }), limit);
      if (count) await printCounts(hits, targets, printer);
      else await printLines(hits, flags.json);
      if (lacks_lines && !flags.quiet) process.stderr.write(LINES_MISSING);
      return 0;
    }),
  only_output: true,
});

function patternOf(pattern: string, { regex, text }: Pick<Options, 'regex' | 'text'>): SearchPattern {
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

async function* limited(hits: AsyncIterable<SearchHit>, limit = Number.POSITIVE_INFINITY) {
  let left = limit;
  for await (const hit of hits) {
    yield hit;
    if (--left <= 0) return;
  }
}

async function printCounts(
  hits: AsyncIterable<SearchHit>,
  targets: string[],
  printer: Printer,
): Promise<void> {
  const counts = new Map(targets.map((target) => [target, 0]));
  try {
    for await (const { target } of hits) counts.set(target, (counts.get(target) ?? 0) + 1);
  } finally {
    const rows = [...counts].map(([target, count]) => ({ target, count }));
    const line = ({ target, count }: (typeof rows)[number]) =>
      rows.length === 1 ? `${count}` : `${target}: ${count}`;
    printer.list(rows, rows.map(line));
  }
}

/** Writes the bytes unchanged, except to a terminal, which a log line must not control. */
async function printLines(hits: AsyncIterable<SearchHit>, json: boolean): Promise<void> {
  const out = new LineWriter(process.stdout.isTTY === true);
  try {
    for await (const { line, text_from } of hits) {
      if (!(await out.write(json ? withTextFrom(line, text_from) : line))) return;
    }
  } finally {
    await out.end();
  }
}

/** For programs, says in the line what the pattern was found in, if that is not the original line. */
function withTextFrom(line: Buffer, text_from: SearchHit['text_from']): Buffer {
  const from = line.indexOf('{') + 1;
  return text_from === 'raw'
    ? line
    : Buffer.concat([Buffer.from(`{"text_from":${JSON.stringify(text_from)},`), line.subarray(from)]);
}

const BATCH_BYTES = 64 * 1024;
const BATCH_MS = 200;

/** Writes lines in batches, at the pace of the reader, until the reader closes the pipe. */
class LineWriter {
  readonly #terminal: boolean;
  #batch: Buffer[] = [];
  #bytes = 0;
  #last = performance.now();
  #closed = false;

  constructor(terminal: boolean) {
    this.#terminal = terminal;
  }

  /** Returns false once the reader has closed the pipe. */
  async write(line: Buffer): Promise<boolean> {
    const bytes = this.#terminal ? Buffer.from(sanitize(line.toString('utf8'))) : line;
    this.#batch.push(bytes, Buffer.of(0x0a));
    this.#bytes += bytes.length + 1;
    if (this.#bytes >= BATCH_BYTES || performance.now() - this.#last > BATCH_MS) await this.end();
    return !this.#closed;
  }

  /** Writes what is left. */
  async end(): Promise<void> {
    const batch = Buffer.concat(this.#batch, this.#bytes);
    this.#batch = [];
    this.#bytes = 0;
    this.#last = performance.now();
    if (batch.length > 0 && !this.#closed) this.#closed = !(await writeStdout(batch));
  }
}
