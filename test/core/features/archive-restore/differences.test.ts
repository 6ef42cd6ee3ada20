import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differencesOf } from '../../../../src/core/features/archive-restore/differences.ts';
import { expiringRows } from '../../../../src/core/features/archive-restore/expiry.ts';
import type { LogsShape } from '../../../../src/core/ports/installation-shape.ts';
import { LOGS_SHAPE } from '../../../helpers/fake-ports.ts';

const column = (name: string, type = 'String', default_expression = '') => ({
  name,
  type,
  default_kind: default_expression === '' ? '' : 'DEFAULT',
  default_expression,
});
const FIELDS = 'JSON(max_dynamic_paths=1024, user String, src_ip String)';
/** A table of later releases. */
const LATER: LogsShape = {
  ...LOGS_SHAPE,
  raw_from: 'logs_raw',
  columns: [
    ...LOGS_SHAPE.columns
      .filter(({ name }) => name !== 'raw_log')
      .map((one) => (one.name === 'fields' ? { ...one, type: FIELDS } : one)),
    column('norm_log', 'String', 'toString(fields)'),
    column('normalizer', 'LowCardinality(String)', "''"),
    { ...column('shown'), default_kind: 'ALIAS' },
  ],
};
const headOf = ({ columns }: LogsShape) =>
  columns
    .filter(({ default_kind }) => default_kind !== 'ALIAS')
    .map(({ name, type, default_expression }) => ({ name, type, default: default_expression }));
const SERVER_FILE = { raw_from: 'logs', columns: null } as const;

test('into a later release: no original lines, defaults and typed paths', () => {
  const expected = { lost: ['raw_log'], defaults: ['norm_log', 'normalizer'], typed_paths: 2 };
  assert.deepEqual(differencesOf([SERVER_FILE], LATER), expected);
  assert.deepEqual(differencesOf([{ raw_from: 'logs', columns: headOf(LOGS_SHAPE) }], LATER), expected);
});

test('into an earlier release: its columns are lost, and lines that were not kept are empty', () => {
  const file = { raw_from: 'none', columns: headOf(LATER) } as const;
  assert.deepEqual(differencesOf([file], LOGS_SHAPE), {
    lost: ['norm_log', 'normalizer'],
    defaults: ['raw_log'],
    typed_paths: 0,
  });
});

test('into the same release, nothing differs but the original lines', () => {
  const none = { lost: [], defaults: [], typed_paths: 0 };
  assert.deepEqual(differencesOf([SERVER_FILE], LOGS_SHAPE), none);
  assert.deepEqual(differencesOf([{ raw_from: 'none', columns: headOf(LATER) }], LATER), none);
  assert.deepEqual(differencesOf([{ raw_from: 'logs_raw', columns: headOf(LATER) }], LATER), {
    ...none,
    lost: ['raw_log'],
  });
});

test('with several files, what any of them lacks or has is named', () => {
  const files = [SERVER_FILE, { raw_from: 'none', columns: headOf(LATER) }] as const;
  assert.deepEqual(differencesOf(files, LATER), {
    lost: ['raw_log'],
    defaults: ['norm_log', 'normalizer'],
    typed_paths: 2,
  });
});

const NOW = new Date('2026-03-31T00:00:00Z');
const ALL = { from: null, to: null };
const TEN = { retention_days: 10 };
const day = (first: number, last: number) => ({
  rows: 100,
  first: `2026-03-${String(first).padStart(2, '0')}T00:00:00Z`,
  last: `2026-03-${String(last).padStart(2, '0')}T23:59:59Z`,
});

test('rows that are older than the retention are counted', () => {
  const spans = [day(1, 5), day(6, 20), day(21, 25)];
  assert.deepEqual(expiringRows(spans, TEN, ALL, NOW), { rows: 200, exact: true, days: 10 });
  const across = [day(1, 5), day(6, 21)];
  assert.deepEqual(expiringRows(across, TEN, ALL, NOW), { rows: 200, exact: false, days: 10 });
  assert.deepEqual(expiringRows([{ rows: 5, first: null, last: null }], TEN, ALL, NOW), {
    rows: 5,
    exact: false,
    days: 10,
  });
});

test('rows outside of the window do not count', () => {
  const spans = [day(1, 5), day(6, 10), day(11, 20)];
  const window = { from: '2026-03-06T00:00:00Z', to: '2026-03-11T00:00:00Z' };
  assert.deepEqual(expiringRows(spans, TEN, window, NOW), { rows: 100, exact: true, days: 10 });
  const within = { from: '2026-03-07T00:00:00Z', to: null };
  assert.deepEqual(expiringRows(spans, TEN, within, NOW), { rows: 200, exact: false, days: 10 });
});

test('without a retention, or with young rows only, none expire', () => {
  assert.equal(expiringRows([day(1, 5)], { retention_days: null }, ALL, NOW), null);
  assert.equal(expiringRows([day(1, 5)], undefined, ALL, NOW), null);
  assert.equal(expiringRows([day(22, 30)], TEN, ALL, NOW), null);
});
