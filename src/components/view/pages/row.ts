import type { BrowsedRow, FileReport } from '../../../core/index.ts';
import { hardWrap } from '../../../core/text/hard-wrap.ts';
import { formatExact, plural } from '../../../core/text/units.ts';
import { formatBytes } from '../../text/display.ts';
import type { Line } from '../../text/line.ts';
import type { Symbols } from '../../text/symbols.ts';
import { fit } from '../../text/text.ts';
import { highlight, matchesIn } from '../search.ts';
import { memo } from '../snapshot.ts';
import type { Search, Snapshot } from '../types.ts';
import { field, heading, longField } from './fields.ts';

const MARGIN = '  ';
const MAX_NAME = 28;

type Flat = readonly (readonly [name: string, value: string])[];

/** A number as written in the JSON: it may have more digits than a JavaScript number. */
class Digits {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

function withDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' ? new Digits(context?.source ?? String(value)) : value;
}

/** A value as JSON, with numbers as they were written. */
function toJson(value: unknown): string {
  if (value instanceof Digits) return value.text;
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}:${toJson(inner)}`);
  return `{${entries.join(',')}}`;
}

function flatten(value: unknown, path: string): Flat {
  if (typeof value === 'string') return [[path, value]];
  const isGroup =
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Digits);
  const entries = isGroup ? Object.entries(value) : [];
  if (entries.length === 0 && path !== '') return [[path, toJson(value)]];
  return entries.flatMap(([key, inner]) => flatten(inner, path === '' ? key : `${path}.${key}`));
}

/** The parsed fields as names and values; undefined if the text is not a JSON object, for example because it was cut. */
export function fieldPairs(fields: string): Flat | undefined {
  try {
    const parsed: unknown = JSON.parse(fields, withDigits);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? flatten(parsed, '')
      : undefined;
  } catch {
    return undefined;
  }
}

function pairLines(pairs: Flat, columns: number, symbols: Symbols): Line[] {
  const longest = pairs.reduce((most, [name]) => Math.max(most, name.length), 0);
  const names = Math.min(MAX_NAME, Math.max(8, longest));
  return pairs.flatMap(([name, value]) =>
    hardWrap(value, Math.max(10, columns - names - 5)).map(
      (text, index): Line => [
        { text: `${MARGIN}${fit(index === 0 ? name : '', names, 'left', symbols.ellipsis)}  `, tone: 'info' },
        { text },
      ],
    ),
  );
}

function fieldLines(
  row: BrowsedRow,
  report: FileReport | undefined,
  columns: number,
  symbols: Symbols,
): Line[] {
  if (row.fields === null) {
    const reason =
      report?.fields === false
        ? 'The archive was written without parsed fields.'
        : 'This row has no parsed fields.';
    return [[{ text: `${MARGIN}${reason}`, tone: 'dim' }]];
  }
  return valueLines(row.fields, columns, symbols);
}

/** The members of a JSON object. */
function valueLines(json: string, columns: number, symbols: Symbols): Line[] {
  const pairs = fieldPairs(json);
  if (pairs) return pairLines(pairs, columns, symbols);
  const note: Line = [{ text: `${MARGIN}Too long to parse; shown as text:`, tone: 'warn' }];
  return [note, ...hardWrap(json, columns - 4).map((text): Line => [{ text: MARGIN + text }])];
}

const LINE_TITLES = {
  raw: 'Log line',
  norm_log: 'Normalized text (the original line was not kept)',
  fields: 'Text of the fields (the original line was not kept)',
  none: 'Log line (not kept)',
};

const allLines = memo(
  (
    row: BrowsedRow,
    report: FileReport | undefined,
    search: Search | undefined,
    columns: number,
    symbols: Symbols,
  ) => {
    const shown = Buffer.byteLength(row.raw);
    const cut = row.raw_bytes > shown + 3;
    const note = cut ? `, first ${formatBytes(shown)} shown` : '';
    return [
      field('Time', { text: row.ts ?? 'none' }),
      field('Ingested', { text: row.ingest_timestamp ?? '-' }),
      field('ID', { text: row.id }),
      field('Length', { text: plural(row.raw_bytes, 'byte') + note, tone: cut ? 'warn' : 'plain' }),
      heading(LINE_TITLES[row.text_from ?? 'none'], columns, symbols),
      ...textLines(row.raw, search, columns),
      heading('Fields', columns, symbols),
      ...fieldLines(row, report, columns, symbols),
      ...(row.cols === null
        ? []
        : [heading('Other columns', columns, symbols), ...valueLines(row.cols, columns, symbols)]),
    ];
  },
);

function textLines(raw: string, search: Search | undefined, columns: number): Line[] {
  const texts = hardWrap(raw, columns - 4);
  const matches = search && matchesIn(texts, search);
  return texts.map((text, index) => [{ text: MARGIN }, ...highlight(text, matches?.[index] ?? [])]);
}

/** All details of a row. */
export function rowPage({ browse, columns, symbols }: Snapshot): readonly Line[] {
  const { detail } = browse ?? {};
  if (!browse || !detail) return [[], [{ text: `${MARGIN}Reading${symbols.ellipsis}`, tone: 'dim' }]];
  const head = heading(`Row ${formatExact(detail.index + 1)}`, columns, symbols);
  if (detail.error) {
    return [
      head,
      ...longField('Why', detail.error.message, columns, 'bad'),
      ...(detail.error.hint ? longField('What to do', detail.error.hint, columns) : []),
    ];
  }
  if (!detail.row) return [head, [{ text: `${MARGIN}Reading${symbols.ellipsis}`, tone: 'dim' }]];
  return [head, ...allLines(detail.row, browse.report, browse.search, columns, symbols)];
}
