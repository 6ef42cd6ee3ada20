import assert from 'node:assert/strict';
import { test } from 'node:test';
import { archiveName } from '../../src/components/view/archive-name.ts';
import { BifractError, type CoveragePeriod } from '../../src/core/index.ts';
import { startConsole } from '../helpers/console.ts';
import { FakeEngine, fakeArchive, fakeCoverage, fakeFractal } from '../helpers/fake-engine.ts';

const WEEK: CoveragePeriod['state'][] = ['both', 'both', 'both', 'archive', 'partial', 'clickhouse', 'none'];
const web = fakeFractal(1, { name: 'web' });
const archives = [fakeArchive(1, web), fakeArchive(2, web)];

/** Ten weeks until today; the last day of each has no rows. */
function engineWithTimeline(): FakeEngine {
  const coverage = fakeCoverage(web, Array(10).fill(WEEK).flat());
  return new FakeEngine({ fractals: [web], archives, coverage: { [web.id]: coverage } });
}

const dayOf = (daysAgo: number) => new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10);

for (const [columns, rows, utf8] of [
  [80, 24, true],
  [80, 24, false],
  [160, 50, true],
  [60, 14, false],
] as const) {
  test(`the timeline shows the coverage of each day, at ${columns}x${rows}${utf8 ? '' : ' in ASCII'}`, async () => {
    const engine = engineWithTimeline();
    await using console = startConsole({ engine, columns, rows, utf8 });
    const { terminal } = console;
    const sign = utf8
      ? { both: '█', bad: '✗', warn: '!', cursor: '▌' }
      : { both: '#', bad: 'x', warn: '!', cursor: '>' };
    await terminal.press('2');
    await terminal.waitFor('1 fractal');
    await terminal.press('t');
    await terminal.waitFor(`${dayOf(0)} UTC`);
    await terminal.waitFor(/\b0 rows/);
    await terminal.press('left');
    await terminal.waitFor(`${dayOf(1)} UTC`);
    await terminal.waitFor(new RegExp(`\\${sign.bad}.* 1,068 rows, none archived`));
    await terminal.press('left');
    await terminal.waitFor(/1,067 .*\b7\b/);
    await terminal.waitFor(sign.cursor + (columns >= 80 ? '!' : ''));
    await terminal.press('g');
    await terminal.waitFor(`${dayOf(69)} UTC`);
    await terminal.waitFor(`  ${dayOf(69).slice(0, 7)}`);
    await terminal.press('G');
    await terminal.waitFor(`${dayOf(0)} UTC`);
    for (const line of terminal.lines()) assert.ok(line.length <= columns);
  });
}

test('a gap at the start of the timeline counts the rows without an archive', async () => {
  const engine = new FakeEngine({
    fractals: [web],
    coverage: { [web.id]: fakeCoverage(web, ['clickhouse', 'both'], { protected_until: null }) },
  });
  await using console = startConsole({ engine });
  await console.terminal.press('2', 't');
  await console.terminal.waitFor(/\b1,000 rows/);
});

test('up and down move by month, to the nearest existing day', async () => {
  const periods = ['2028-01-31', '2028-02-29', '2028-03-30'].map((day) => ({
    from: `${day}T00:00:00.000Z`,
    to: `${day}T24:00:00.000Z`,
    state: 'both' as const,
    rows: 5,
    unprotected_rows: 0,
    archive_ids: [],
  }));
  const engine = new FakeEngine({
    fractals: [web],
    coverage: { [web.id]: fakeCoverage(web, [], { periods, protected_until: '2028-03-30T10:00:00Z' }) },
  });
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('2', 't');
  await terminal.waitFor('2028-03-30 UTC');
  await terminal.waitFor('2028-03-30 10:00');
  await terminal.press('up');
  await terminal.waitFor('2028-02-29 UTC');
  await terminal.press('up');
  await terminal.waitFor('2028-01-31 UTC');
  await terminal.press('up');
  await terminal.press('down', 'down');
  await terminal.waitFor('2028-03-30 UTC');
});

const nameOf = (index: number) => (archives[index] ? archiveName(archives[index]) : '?');

test('Tab selects the archives of a day, Enter opens one, Esc returns to the day', async () => {
  const engine = engineWithTimeline();
  for (const period of engine.data.coverage[web.id]?.periods ?? []) {
    if (period.archive_ids.length > 0) period.archive_ids = archives.map(({ id }) => id);
  }
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('2', 't');
  await terminal.waitFor(`${dayOf(0)} UTC`);
  await terminal.press('enter');
  await terminal.waitFor('Cannot open an archive');
  await terminal.press('left', 'left');
  await terminal.waitFor('1 of 2');
  await terminal.waitFor(`1 of 2, Tab for the next: ${nameOf(0)}`);
  await terminal.press('tab');
  await terminal.waitFor('2 of 2');
  await terminal.press('enter');
  await terminal.waitUntilGone('2 of 2');
  await terminal.waitFor(`Archive of ${nameOf(1)} ─`);
  await terminal.press('esc');
  await terminal.waitFor(`${dayOf(2)} UTC`);
});

test('u switches between days and hours', async () => {
  const engine = engineWithTimeline();
  const asked: (string | undefined)[] = [];
  const { coverage } = engine;
  engine.coverage = async (fractal_id, query?: { unit?: 'hour' | 'day' }) => {
    asked.push(query?.unit);
    const known = await coverage.call(engine, fractal_id);
    if (query?.unit !== 'hour') return known;
    const periods = [13, 14, 15].map((hour) => ({
      from: `2026-03-01T${hour}:00:00.000Z`,
      to: `2026-03-01T${hour + 1}:00:00.000Z`,
      state: 'both' as const,
      rows: hour,
      unprotected_rows: 0,
      archive_ids: [],
    }));
    return { ...known, unit: 'hour', periods };
  };
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('2', 't');
  await terminal.waitFor(`${dayOf(0)} UTC`);
  await terminal.press('u');
  await terminal.waitFor(/2026-03-01 15:00 .*16:00/);
  await terminal.press('h');
  await terminal.waitFor(/2026-03-01 14:00 .*15:00/);
  await terminal.press('u');
  await terminal.waitFor(`${dayOf(0)} UTC`);
  assert.ok(asked.includes('hour') && asked.includes('day'));
});

test('the timeline shows that it is loading, and why it cannot be loaded', async () => {
  const engine = engineWithTimeline();
  const gate = Promise.withResolvers<void>();
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.waitFor('1 fractal');
  engine.gate = gate.promise;
  await terminal.press('t');
  await terminal.waitFor('…');
  assert.doesNotMatch(terminal.text(), / UTC/);
  engine.failure = new BifractError('CLICKHOUSE_UNREACHABLE', 'ClickHouse does not answer', {
    hint: 'Start it.',
  });
  gate.resolve();
  await terminal.waitFor('ClickHouse does not answer');
  await terminal.waitFor('Start it.');
  engine.failure = undefined;
  await terminal.press('r');
  await terminal.waitFor(`${dayOf(0)} UTC`);
});
