import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coverageLines } from '../../bin/print/schedule.ts';
import { fakeCoverage, fakeFractal } from '../helpers/fake-engine.ts';

const web = fakeFractal(1);

test('a gap before the first archive is told from no archive at all', () => {
  const sum = (...states: Parameters<typeof fakeCoverage>[1]) =>
    coverageLines(fakeCoverage(web, states, { protected_until: null })).at(-1);
  assert.match(sum('clickhouse', 'both') ?? '', /^Archives hold some periods, but not the first rows\. /);
  assert.match(sum('clickhouse') ?? '', /^Archives hold nothing\. /);
});
