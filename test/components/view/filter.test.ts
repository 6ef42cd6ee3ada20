// cspell:ignore wbprd cmpltd Wbprd pdcd
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyFilter, isNarrower, type RowText } from '../../../src/components/view/lists/filter.ts';
import { sortBy } from '../../../src/components/view/lists/order.ts';

function rowOf(...cells: string[]): RowText {
  const text = cells.join('\n');
  return { text, lower: text.toLowerCase() };
}

const ROWS = [
  rowOf('web-prod', '✓ Completed', '1.2 GiB', '2026-11-30 10:05'),
  rowOf('Web-Test', '✗ Failed', '12 MiB', '2026-10-01 00:00'),
  rowOf('db-prod', '✓ Completed', '512 B', '2026-10-02 00:00'),
];

function found(filter: string): { rows: number[]; similar: boolean } {
  const { records, similar } = applyFilter(filter, ROWS, (row) => row);
  return { rows: records.map((row) => ROWS.indexOf(row)), similar };
}

for (const [filter, rows] of [
  ['', [0, 1, 2]],
  ['web', [0, 1]],
  ['Web', [1]],
  ['prod completed', [0, 2]],
  ['gib', [0]],
  ['2026-10', [1, 2]],
  ['!prod', [1]],
  ['prod !web', [2]],
  ['!', [0, 1, 2]],
  ["'prod", [0, 2]],
  ['/^web/i', [0, 1]],
  ['/^web', [0]],
  ['/prod$/', [0, 2]],
  ['!/prod$/', [1]],
  ['/(?<=b-)p', [0, 2]],
] as const) {
  test(`the filter "${filter}" finds the rows that contain it`, () => {
    assert.deepEqual(found(filter), { rows: [...rows], similar: false });
  });
}

test('if no row contains the words, similar rows are found, but never another date, number or an exact word', () => {
  assert.deepEqual(found('wbprd'), { rows: [0], similar: true });
  assert.deepEqual(found('cmpltd web'), { rows: [0], similar: true });
  assert.deepEqual(found('2026-12'), { rows: [], similar: false });
  assert.deepEqual(found("'wbprd"), { rows: [], similar: false });
  assert.deepEqual(found('Wbprd'), { rows: [], similar: false });
  // The letters must be in one cell, and close together.
  assert.deepEqual(found('pdcd'), { rows: [], similar: false });
  const far = [rowOf(`w${'-'.repeat(20)}p`)];
  assert.equal(applyFilter('wp', far, (row) => row).records.length, 0);
});

test('an invalid or endless regular expression hides no row, and says so', () => {
  for (const filter of ['/((/', '/(']) {
    const { records, problem } = applyFilter(filter, ROWS, (row) => row);
    assert.equal(records.length, 3);
    assert.ok(problem);
  }
  const lines = [rowOf('word '.repeat(30))];
  const endless = applyFilter(String.raw`/(\S+\s?)+ZZ$/`, lines, (row) => row);
  assert.equal(endless.records.length, 1);
  assert.ok(endless.problem);
});

test('an extended filter finds only rows that the one before has found, if it is narrower', () => {
  const part = fc.string({ unit: fc.constantFrom('a', 'b', 'B', '!', "'", ' ', '/', '1'), maxLength: 4 });
  const cell = fc.string({ unit: fc.constantFrom('a', 'b', 'B', '1', '-'), maxLength: 6 });
  let narrower = 0;
  fc.assert(
    fc.property(fc.array(cell, { minLength: 1, maxLength: 8 }), part, part, (cells, before, more) => {
      const rows = cells.map((text) => rowOf(text, 'x'));
      const first = applyFilter(before, rows, (row) => row);
      const second = applyFilter(before + more, rows, (row) => row);
      if (!isNarrower(before, before + more) || first.similar || second.similar) return;
      narrower += 1;
      for (const row of second.records) assert.ok(first.records.includes(row));
    }),
    { numRuns: 2_000 },
  );
  assert.ok(narrower > 100, `${narrower}`);
});

test('values are sorted without case and accents; rows without one come last, and ties stay in their order', () => {
  const values = ['b', 'Ä', undefined, 'a', 'é', 'B', 'F', undefined];
  const records = values.map((value, place) => ({ value, place }));
  const places = (descending: boolean) =>
    sortBy(records, ({ value }) => value, descending).map(({ place }) => place);
  assert.deepEqual(places(false), [1, 3, 0, 5, 4, 6, 2, 7]);
  assert.deepEqual(places(true), [6, 4, 0, 5, 1, 3, 2, 7]);
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer(), { nil: undefined })), (numbers) => {
      const sorted = sortBy(numbers, (number) => number, false);
      const known = numbers.filter((number) => number !== undefined).sort((a, b) => a - b);
      assert.deepEqual(sorted.slice(0, known.length), known);
      assert.equal(sorted.length, numbers.length);
    }),
  );
});
