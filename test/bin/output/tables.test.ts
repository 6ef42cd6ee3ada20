import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Column, table } from '../../../bin/output/tables.ts';
import { width } from '../../../src/core/text/sanitize.ts';

interface Row {
  id: string;
  name: string;
  size: string;
  why: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'ID', cell: ({ id }) => id, short: ({ id }) => id.slice(0, 4) },
  { title: 'NAME', cell: ({ name }) => name },
  { title: 'SIZE', cell: ({ size }) => size, right: true, rank: 1 },
  { title: 'WHY', cell: ({ why }) => why, wraps: true, rank: 2 },
];
const ROW: Row = {
  id: '0123456789abcdef',
  name: 'web',
  size: '1.5 MiB',
  why: 'it was due one day ago and two',
};

test('without a terminal, or where there is room, everything is on one line', () => {
  const wide = [
    'ID                NAME     SIZE  WHY',
    '0123456789abcdef  web   1.5 MiB  it was due one day ago and two',
  ];
  for (const columns of [undefined, 80, 65]) assert.deepEqual(table([ROW], COLUMNS, columns), wide);
});

test('a narrow terminal gets short cells, wrapped text, then fewer columns', () => {
  assert.deepEqual(table([ROW], COLUMNS, 44), [
    'ID    NAME     SIZE  WHY',
    '0123  web   1.5 MiB  it was due one day ago',
    '                     and two',
  ]);
  assert.deepEqual(table([ROW], COLUMNS, 40), ['ID    NAME     SIZE', '0123  web   1.5 MiB']);
  assert.deepEqual(table([ROW], COLUMNS, 18), ['ID    NAME', '0123  web']);
  assert.deepEqual(table([ROW], COLUMNS, 5), ['ID    NAME', '0123  web'], 'columns without a rank stay');
});

test('lines fit the terminal if the columns that stay do', () => {
  const text = fc.string({ maxLength: 60, unit: 'grapheme' });
  const name = fc.string({ maxLength: 12 });
  fc.assert(
    fc.property(
      fc.array(fc.record({ id: text, name, size: name, why: text })),
      fc.integer({ min: 30 }),
      (rows, columns) => {
        const least = Math.max(8, ...rows.map((row) => row.name.length)) + 10;
        fc.pre(columns >= least);
        const wide = table(rows, COLUMNS, columns).filter((line) => width(line) > columns);
        assert.deepEqual(wide, []);
      },
    ),
  );
});
