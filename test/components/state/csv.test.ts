import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatOf, recordContent, rowContent } from '../../../src/components/state/export/content.ts';
import { csvCell, csvLine } from '../../../src/components/state/export/csv.ts';

/** Reads CSV as RFC 4180 describes it. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    row.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if (end === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

async function textOf(content: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const part of content) text += part.toString();
  return text;
}

test('every text comes back from a CSV file, and none starts like a formula', () => {
  const cell = fc.string({
    unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', '=', '+', '-', '@', '\t', 'é'),
  });
  fc.assert(
    fc.property(fc.array(cell, { minLength: 1, maxLength: 4 }), (cells) => {
      const [row] = parseCsv(csvLine(cells));
      assert.deepEqual(
        row?.map((text) => text.replace(/^'(?=[=+\-@\t\r])/, '')),
        cells,
      );
      for (const text of row ?? []) assert.doesNotMatch(text, /^[=+\-@\t\r]/);
    }),
  );
});

test('values are written as what they are', () => {
  assert.deepEqual([-5, 1.5, true, null, undefined, '', '-5', '=1+1', { a: [1, 'x'] }].map(csvCell), [
    '-5',
    '1.5',
    'true',
    '',
    '',
    '',
    "'-5",
    "'=1+1",
    '"{""a"":[1,""x""]}"',
  ]);
});

test('a CSV file has a column for every field of any record', async () => {
  const records = [
    { id: 'a', size: 1 },
    { id: 'b', note: 'x,y' },
  ];
  const csv = await textOf(recordContent(records, 'csv'));
  assert.equal(csv, 'id,size,note\r\na,1,\r\nb,,"x,y"\r\n');
  const ndjson = await textOf(recordContent(records, 'ndjson'));
  assert.deepEqual(
    ndjson
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
    records,
  );
});

test('rows keep the digits of their numbers, and invalid lines are exported as they are', async () => {
  const good = Buffer.from(
    '{"ts":"2026-03-01T00:00:00Z","id":"1","raw":"=cmd","fields":{"n":12345678901234567890}}',
  );
  const bad = Buffer.from('not "JSON"');
  async function* parts() {
    yield { matches: [] };
    yield {
      matches: [
        { row: 0, line: good },
        { row: 1, line: bad },
      ],
    };
  }
  assert.equal(await textOf(rowContent(parts(), 'ndjson')), `${good}\n${bad}\n`);
  const [, first, second] = parseCsv(await textOf(rowContent(parts(), 'csv')));
  assert.deepEqual(first, ['2026-03-01T00:00:00Z', '1', '', '', "'=cmd", '{"n":12345678901234567890}', '']);
  assert.deepEqual(second, ['', '', '', '', 'not "JSON"', '', '']);
});

test('the end of the name is the format', () => {
  assert.deepEqual(['a.csv', 'a.CSV', 'a.ndjson', 'a.jsonl', 'a.json', 'csv', 'a.csv.gz'].map(formatOf), [
    'csv',
    'csv',
    'ndjson',
    'ndjson',
    undefined,
    undefined,
    undefined,
  ]);
});
