import assert from 'node:assert/strict';
import { test } from 'node:test';
import { symbolsFor } from '../../../src/components/text/symbols.ts';
import { fileTime, fileTitle } from '../../../src/components/view/archive-name.ts';
import { shortRange } from '../../../src/components/view/lists/file-cells.ts';
import { fakeArchive, fakeFractal } from '../../helpers/fake-engine.ts';

const fractal = fakeFractal(1, { name: 'web' });
const data = {
  archives: {
    loading: false,
    value: [fakeArchive(1, fractal, { id: 'record', period_label: '2026-03-01' })],
  },
  fractals: { loading: false, value: [fractal] },
};
const other = '11111111-2222-4333-8444-555555555555';

test('a file is named by its record, else by what its name says', () => {
  const titles = {
    record: 'web, 2026-03-01',
    [`/srv/${data.archives.value[0]?.filename}`]: 'web, 2026-03-01',
    [`${fractal.id}-20260301-123456.bifract-archive`]: 'web, 2026-03-01 12:34',
    [`archives/x/${fractal.id}-2026-03-01_1400-20260302-000000.bifract-archive`]: 'web, 2026-03-01 14:00',
    [`${fractal.id}-2026-02-23_to_2026-03-01-20260302-000000.bifract-archive`]:
      'web, 2026-02-23 to 2026-03-01',
    [`${other}-20260301-123456.bifract-archive`]: 'fractal 11111111, 2026-03-01 12:34',
    '/backups/bifract-backup-20260301-123456.bifract-backup': 'bifract-backup-20260301-123456.bifract-backup',
    'public.alerts': 'public.alerts',
  };
  for (const [path, title] of Object.entries(titles)) assert.equal(fileTitle(path, data), title);
  assert.equal(fileTime('notes.txt'), undefined);
});

test('a time range takes the longest form that fits', () => {
  const draw = { symbols: symbolsFor(true), now: Date.parse('2026-11-29T00:00:00Z') };
  const range = (from: string, to: string, columns: number) =>
    shortRange(fakeArchive(1, fractal, { time_range_start: from, time_range_end: to }), draw, columns);
  const month = ['2026-10-29T14:05:00Z', '2026-11-28T09:00:00Z'] as const;
  assert.equal(range(...month, 36), '2026-10-29 14:05 to 2026-11-28 09:00');
  assert.equal(range(...month, 35), '2026-10-29→2026-11-28');
  assert.equal(range(...month, 20), '10-29→11-28');
  assert.equal(range('2025-10-29T00:00:00Z', '2026-11-28T00:00:00Z', 20), '25-10-29→26-11-28');
  const hour = ['2026-10-29T14:05:00Z', '2026-10-29T15:20:00Z'] as const;
  assert.equal(range(...hour, 30), '2026-10-29 14:05→15:20');
  assert.equal(range(...hour, 18), '10-29 14:05→15:20');
  assert.equal(range(...hour, 10), '10-29');
  const ascii = { ...draw, symbols: symbolsFor(false) };
  const record = fakeArchive(1, fractal, { time_range_start: month[0], time_range_end: month[1] });
  assert.equal(shortRange(record, ascii, 18), '10-29..11-28');
});
