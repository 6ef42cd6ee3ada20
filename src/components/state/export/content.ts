import type { MatchedRow } from '../../../core/index.ts';
import { csvLine } from './csv.ts';

/** Formats of exports, by the end of the file name. */
export type ExportFormat = 'ndjson' | 'csv';

/** Records between two turns of the event loop. */
const BATCH = 500;

/** The format of a file name; undefined if it has none of the known ends. */
export function formatOf(name: string): ExportFormat | undefined {
  if (/\.csv$/i.test(name)) return 'csv';
  return /\.(ndjson|jsonl)$/i.test(name) ? 'ndjson' : undefined;
}

/** Records, one per line. A CSV file has a column for every field that any of them has. */
export async function* recordContent(
  records: readonly object[],
  format: ExportFormat,
): AsyncGenerator<Buffer> {
  const names = [...new Set(records.flatMap((record) => Object.keys(record)))];
  const lineOf = (record: object) =>
    format === 'csv'
      ? csvLine(names.map((name) => (record as Record<string, unknown>)[name]))
      : `${JSON.stringify(record)}\n`;
  if (format === 'csv') yield Buffer.from(csvLine(names));
  for (let from = 0; from < records.length; from += BATCH) {
    yield Buffer.from(
      records
        .slice(from, from + BATCH)
        .map(lineOf)
        .join(''),
    );
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Columns of exported rows, by the names that they have in an archive. */
const ROW_COLUMNS = ['ts', 'id', 'its', 'fid', 'raw', 'fields', 'cols'];

/** Matching rows: as stored, or as CSV. */
export async function* rowContent(
  parts: AsyncIterable<{ matches: readonly MatchedRow[] }>,
  format: ExportFormat,
): AsyncGenerator<Buffer> {
  if (format === 'csv') yield Buffer.from(csvLine(ROW_COLUMNS));
  const newline = Buffer.from('\n');
  for await (const { matches } of parts) {
    if (matches.length === 0) continue;
    yield format === 'csv'
      ? Buffer.from(matches.map(({ line }) => rowLine(line)).join(''))
      : Buffer.concat(matches.flatMap(({ line }) => [line, newline]));
  }
}

/** `JSON.rawJSON`, which the types do not know yet. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/** Numbers stay as they are written: they may have more digits than a JavaScript number. */
function asWritten(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' && context?.source !== undefined ? rawJSON(context.source) : value;
}

function rowLine(line: Buffer): string {
  const text = line.toString('utf8');
  try {
    const row = JSON.parse(text, asWritten) as Record<string, unknown>;
    return csvLine(ROW_COLUMNS.map((name) => row[name]));
  } catch {
    // An invalid line is exported as it is.
    return csvLine(ROW_COLUMNS.map((name) => (name === 'raw' ? text : null)));
  }
}
