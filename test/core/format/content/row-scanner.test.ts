import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { rowEnd } from '../../../../src/core/format/content/row-scanner.ts';
import {
  archiveLines,
  LineChecker,
  parseKey,
  parseLine,
  readContent,
  rowText,
  scanRow,
} from '../../../../src/core/format/index.ts';
import { blockLines, inPieces } from '../../../helpers/streams.ts';

const VALID =
  '{"ts":"2026-03-01T12:00:00.123Z","raw":"a \\"b\\" \\u00e9","id":"x","fid":"f","its":"2026-03-31T12:00:00Z"}';

const row = (values: object) =>
  JSON.stringify({
    ts: '2026-03-01T12:00:00Z',
    raw: 'r',
    id: 'i',
    fid: 'f',
    its: '2026-03-01T12:00:00Z',
    ...values,
  });

test('accepts a plain row on the fast path', () => {
  const nested = row({ fields: { a: [1, -2.5e3, { b: null, c: [true, false, []] }], d: {} } });
  for (const line of [VALID, nested])
    assert.equal(rowEnd(Buffer.from(`${line}\n`), 0), Buffer.byteLength(line) + 1);
});

test('the fast path accepts only rows that parseLine accepts', () => {
  const lines = fc.constantFrom(
    VALID,
    row({ fields: { a: 1, b: ['x', null] } }),
    row({ raw64: 'AA==' }),
    row({ raw: 7 }),
  );
  const change = fc.record({ at: fc.nat(200), byte: fc.integer({ min: 0, max: 255 }) });
  fc.assert(
    fc.property(lines, fc.array(change, { maxLength: 2 }), (line, changes) => {
      const bytes = Buffer.from(`${line}\n`);
      for (const { at, byte } of changes) bytes[at % (bytes.length - 1)] = byte;
      const end = rowEnd(bytes, 0);
      if (end >= 0) assert.ok(!('malformed' in parseLine(bytes.subarray(0, end))), bytes.toString('latin1'));
    }),
    { numRuns: 3000 },
  );
});

test('scanRow agrees with parseLine', () => {
  const raw = fc.string({ unit: 'binary', maxLength: 20 });
  const extra = fc.constantFrom(
    '',
    ',"raw":"again"',
    ',"RAW":"again"',
    ',"raw64":"/yA="',
    ',"fields":{"raw":"x"}',
    ',"cols":{"norm_log":"y"}',
    ',"ts":null',
  );
  fc.assert(
    fc.property(raw, extra, (text, more) => {
      const line = Buffer.from(`before\n${row({ raw: text }).slice(0, -1)}${more}}\n`);
      const parsed = parseLine(line.subarray(7));
      assert.ok(!('malformed' in parsed));
      const { text: bytes } = rowText(parsed);
      const { ts } = parsed;
      const scanned = scanRow(line, 7, line.length - 1);
      assert.deepEqual([scanned?.ts, scanned?.text.toString('latin1')], [ts, bytes.toString('latin1')]);
    }),
    { numRuns: 2000 },
  );
  assert.equal(scanRow(Buffer.from('oops\n'), 0, 4), undefined);
});

test('rows with impossible times are malformed', () => {
  for (const ts of [
    '2026-02-30T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-03-01T24:00:00Z',
  ]) {
    const checker = new LineChecker();
    checker.add(Buffer.from(`${row({ ts })}\n${row({})}\n`));
    assert.deepEqual([checker.totals.rows, checker.totals.malformed], [2, 1], ts);
    assert.match(checker.totals.examples[0] ?? '', /^line 2:.*RFC 3339/);
  }
});

test('first and last ignore malformed lines', () => {
  const checker = new LineChecker();
  const times = ['2026-03-01T00:00:00Z', '2026-03-01T00:00:01Z', '2026-03-01T00:00:02.5Z'];
  checker.add(Buffer.from(`no row\n${times.map((ts) => row({ ts })).join('\n')}\n`));
  checker.add(Buffer.from('no row either\n'));
  assert.deepEqual([checker.totals.first, checker.totals.last], [times[0], times[2]]);
  assert.deepEqual([checker.totals.rows, checker.totals.malformed], [5, 2]);
});

const root = fileURLToPath(new URL('../../../fixtures/vectors/', import.meta.url));
const load = (file: string) => JSON.parse(readFileSync(root + file, 'utf8'));
const archives = (load('index.json') as { file: string }[])
  .map(({ file }) => load(`${file}.json`))
  .filter((vector) => vector.archive);

for (const { file, key_hex, archive } of archives) {
  test(`LineChecker agrees with parseLine on ${file}`, async () => {
    const checker = new LineChecker();
    let malformed = 0;
    const content = readContent(inPieces(readFileSync(root + file), 50_000), { keys: [parseKey(key_hex)] });
    for await (const block of archiveLines(content)) {
      checker.add(block.bytes);
      for (const line of blockLines(block)) if ('malformed' in parseLine(line)) malformed++;
    }
    assert.equal(checker.totals.rows, archive.data_lines);
    assert.equal(checker.totals.malformed, malformed);
    assert.equal(malformed, archive.malformed_lines_skipped);
  });
}
