import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layOutColumns, scrollTop } from '../../../src/components/text/layout.ts';
import { indeterminateBar, isUtf8, progressBar, symbolsFor } from '../../../src/components/text/symbols.ts';
import {
  ageOf,
  formatAge,
  formatAgo,
  formatDuration,
  formatStamp,
  shortStamp,
} from '../../../src/core/text/time.ts';
import {
  formatBytes,
  formatCount,
  formatExact,
  formatPercent,
  formatRatio,
  plural,
} from '../../../src/core/text/units.ts';

test('bytes are in IEC units, rounded up to the next unit at 1024', () => {
  assert.equal(formatBytes(0), '0 B');
  assert.equal(formatBytes(1023), '1023 B');
  assert.equal(formatBytes(1024), '1.0 KiB');
  assert.equal(formatBytes(1024 ** 2 - 1), '1.0 MiB');
  assert.equal(formatBytes(1.5 * 1024 ** 3), '1.5 GiB');
  assert.equal(formatBytes(123 * 1024 ** 4), '123 TiB');
});

test('counts are short or exact, with the right plural', () => {
  assert.equal(formatCount(999), '999');
  assert.equal(formatCount(1_000), '1.0k');
  assert.equal(formatCount(999_999), '1.0M');
  assert.equal(formatCount(812_345_678), '812M');
  assert.equal(formatExact(1_234_567), '1,234,567');
  assert.equal(formatExact(0), '0');
  assert.equal(plural(1, 'job'), '1 job');
  assert.equal(plural(1_200, 'job'), '1,200 jobs');
});

test('percentages are rounded down: only 1 is 100%', () => {
  assert.equal(formatPercent(0.9999), '99%');
  assert.equal(formatPercent(1), '100%');
  assert.equal(formatRatio(1_000, 100), '10.0:1');
  assert.equal(formatRatio(undefined, 100), undefined);
  assert.equal(formatRatio(100, 0), undefined);
});

test('durations have two units, ages one', () => {
  assert.equal(formatDuration(59_999), '59s');
  assert.equal(formatDuration(65_000), '1m 05s');
  assert.equal(formatDuration(3_600_000), '1h 00m');
  assert.equal(formatDuration(90_000_000), '1d 01h');
  assert.equal(formatDuration(-5), '<1s');
  assert.equal(formatDuration(999), '<1s');
  assert.equal(formatDuration(1_000), '1s');
  assert.equal(formatAge(9_000), 'now');
  assert.equal(formatAge(47 * 3_600_000), '47h');
  assert.equal(formatAge(49 * 3_600_000), '2d');
  assert.equal(formatAgo(3_600_000), '1h ago');
  assert.equal(formatAgo(0), 'just now');
});

test('times are in UTC; missing or invalid ones are a dash', () => {
  assert.equal(formatStamp('2026-03-01T12:34:56.789Z'), '2026-03-01 12:34');
  assert.equal(formatStamp(null), '-');
  assert.equal(formatStamp('nonsense'), '-');
  assert.equal(ageOf(null, 5), undefined);
  assert.equal(
    ageOf('1970-01-01T00:00:10Z', 4_000),
    0,
    'an age is never negative, even if the other clock is ahead',
  );
});

test('a bar has the requested width at any fraction', () => {
  for (const symbols of [symbolsFor(true), symbolsFor(false)]) {
    for (const fraction of [0, 0.01, 0.333, 0.5, 0.99, 1, 7]) {
      const text = progressBar(fraction, 10, symbols)
        .map((span) => span.text)
        .join('');
      assert.equal(text.length, 10, `${fraction}`);
    }
    for (let now = 0; now < 10_000; now += 250) {
      assert.equal(
        indeterminateBar(now, 10, symbols)
          .map((span) => span.text)
          .join('').length,
        10,
      );
    }
  }
  assert.equal(progressBar(0.99, 10, symbolsFor(false))[0]?.text, '#########');
});

test('columns: the least important are dropped first, free space is shared, widths add up', () => {
  const shapes = [
    { id: 'name', title: 'Name', width: 10, grow: 1 },
    { id: 'size', title: 'Size', width: 8 },
    { id: 'date', title: 'Date', width: 16, drop: 1 },
    { id: 'path', title: 'Path', width: 20, drop: 2, grow: 1 },
  ];
  const ids = (columns: number) => layOutColumns(shapes, columns).map((column) => column.shape.id);
  assert.deepEqual(ids(100), ['name', 'size', 'date', 'path']);
  assert.deepEqual(ids(59), ['name', 'size', 'date']);
  assert.deepEqual(ids(30), ['name', 'size']);
  const placed = layOutColumns(shapes, 100);
  assert.equal(
    placed.reduce((sum, column) => sum + column.width + 2, -2),
    100,
  );
});

test('the window scrolls as little as possible', () => {
  assert.equal(scrollTop(0, 3, 10, 100), 0);
  assert.equal(scrollTop(0, 10, 10, 100), 1);
  assert.equal(scrollTop(50, 40, 10, 100), 40);
  assert.equal(scrollTop(95, 99, 10, 100), 90);
  assert.equal(scrollTop(5, 0, 10, 3), 0);
});

test('the locale selects the symbols', () => {
  assert.equal(isUtf8({ LANG: 'de_DE.UTF-8' }), true);
  assert.equal(isUtf8({ LANG: 'de_DE.UTF-8', LC_ALL: 'C' }), false);
  assert.equal(isUtf8({}), false);
});

test('a timestamp has no trailing zeros in its fraction', () => {
  assert.equal(shortStamp('2026-03-01T14:05:00.000Z'), '2026-03-01T14:05:00Z');
  assert.equal(shortStamp('2026-03-01T14:05:00.120Z'), '2026-03-01T14:05:00.12Z');
  assert.equal(shortStamp('2026-03-01T00:00:00Z'), '2026-03-01T00:00:00Z');
});
