import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BifractError, type CoveragePeriod } from '../../src/core/index.ts';
import { startConsole } from '../helpers/console.ts';
import { FakeEngine, fakeArchive, fakeCoverage, fakeFractal } from '../helpers/fake-engine.ts';

const WEEK: CoveragePeriod['state'][] = ['both', 'both', 'both', 'archive', 'partial', 'clickhouse', 'none'];
const web = fakeFractal(1, { name: 'web' });
const archives = [fakeArchive(1, web), fakeArchive(2, web)];

/** Ten weeks, the last of which ends today with a day that holds no rows. */
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
  test(`the timeline shows each day and what holds it, at ${columns}x${rows}${utf8 ? '' : ' in ASCII'}`, async () => {
    const engine = engineWithTimeline();
    await using console = startConsole({ engine, columns, rows, utf8 });
    const { terminal } = console;
    const sign = utf8
      ? { both: '█', bad: '✗', warn: '!', cursor: '▌' }
      : { both: '#', bad: 'x', warn: '!', cursor: '>' };
    await terminal.press('2');
    await terminal.see('1 fractal');
    await terminal.press('t');
    await terminal.see('web, by days');
    await terminal.see(`${dayOf(0)} UTC`);
    if (columns >= 80) await terminal.see(`${sign.bad} not archived`);
    assert.match(terminal.text(), /no rows +0 rows in ClickHouse/);
    await terminal.press('left');
    await terminal.see(`${dayOf(1)} UTC`);
    await terminal.see(new RegExp(`\\${sign.bad} not archived +1,068 rows in ClickHouse, 1,068 in no ar`));
    await terminal.see('In no archive');
    await terminal.press('left');
    await terminal.see(/partly archived +1,067 rows in ClickHouse, 7 in/);
    await terminal.see(sign.cursor + (columns >= 80 ? '!' : ''));
    await terminal.press('g');
    await terminal.see(`${dayOf(69)} UTC`);
    await terminal.see(`  ${dayOf(69).slice(0, 7)}`);
    await terminal.press('G');
    await terminal.see(`${dayOf(0)} UTC`);
    for (const line of terminal.lines()) assert.ok(line.length <= columns);
  });
}

test('a gap at the very beginning is not told as if archives held nothing', async () => {
  const engine = new FakeEngine({
    fractals: [web],
    coverage: { [web.id]: fakeCoverage(web, ['clickhouse', 'both'], { protected_until: null }) },
  });
  await using console = startConsole({ engine });
  await console.terminal.press('2', 't');
  await console.terminal.see('No archive holds the first rows, 1,000 rows in no archive');
});

test('up and down go by months, to the nearest day that there is', async () => {
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
  await terminal.see('2028-03-30 UTC');
  await terminal.see('Archived until 2028-03-30 10:00, no row is without an archive');
  await terminal.press('up');
  await terminal.see('2028-02-29 UTC');
  await terminal.press('up');
  await terminal.see('2028-01-31 UTC');
  await terminal.press('up');
  await terminal.press('down', 'down');
  await terminal.see('2028-03-30 UTC');
});

test('Tab goes through the archives of a day, Enter opens one, Esc comes back to the day', async () => {
  const engine = engineWithTimeline();
  for (const period of engine.data.coverage[web.id]?.periods ?? []) {
    if (period.archive_ids.length > 0) period.archive_ids = archives.map(({ id }) => id);
  }
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('2', 't');
  await terminal.see(`${dayOf(0)} UTC`);
  await terminal.press('enter');
  await terminal.see('Cannot open archive: no archive holds this period');
  await terminal.press('left', 'left');
  await terminal.see('Archive 1 of 2, Tab for the next');
  await terminal.see(archives[0]?.filename.slice(0, 50) ?? '?');
  await terminal.press('tab');
  await terminal.see('Archive 2 of 2');
  await terminal.press('enter');
  await terminal.see('Archive of web');
  await terminal.see(archives[1]?.filename.slice(-30) ?? '?');
  await terminal.press('esc');
  await terminal.see(`${dayOf(2)} UTC`);
});

test('hours are shown where they are asked for, and days again', async () => {
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
  await terminal.see('web, by days');
  await terminal.press('u');
  await terminal.see('web, by hours');
  await terminal.see('2026-03-01 15:00 to 16:00 UTC');
  await terminal.press('h');
  await terminal.see('2026-03-01 14:00 to 15:00 UTC');
  await terminal.press('u');
  await terminal.see('web, by days');
  assert.ok(asked.includes('hour') && asked.includes('day'));
});

test('while nothing is known that is said, and so is why it cannot be', async () => {
  const engine = engineWithTimeline();
  const gate = Promise.withResolvers<void>();
  await using console = startConsole({ engine });
  const { terminal } = console;
  await terminal.press('2');
  await terminal.see('1 fractal');
  engine.gate = gate.promise;
  await terminal.press('t');
  await terminal.see('Counting…');
  engine.failure = new BifractError('CLICKHOUSE_UNREACHABLE', 'ClickHouse does not answer', {
    hint: 'Start it.',
  });
  gate.resolve();
  await terminal.see('ClickHouse does not answer');
  await terminal.see('Start it.');
  engine.failure = undefined;
  await terminal.press('r');
  await terminal.see(`${dayOf(0)} UTC`);
});
