import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coverageLines } from '../../../bin/commands/coverage.ts';
import { fakeCoverage, fakeFractal } from '../../helpers/fake-engine.ts';

const web = fakeFractal(1);

test('the summary distinguishes full, partial and missing coverage', () => {
  const sum = (...states: Parameters<typeof fakeCoverage>[1]) =>
    coverageLines(fakeCoverage(web, states, { protected_until: null })).at(-1);
  const full = coverageLines(fakeCoverage(web, ['both'], { protected_until: '2026-03-02T00:00:00Z' })).at(-1);
  const summaries = [full, sum('clickhouse', 'both'), sum('clickhouse')].map((line) => line?.split('.')[0]);
  assert.match(summaries[0] ?? '', /2026-03-02/);
  assert.equal(new Set(summaries).size, 3, summaries.join('; '));
});
