import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  archiveName,
  archivePath,
  backupName,
  backupTime,
  fileLabel,
  isBifractName,
  parseArchiveName,
  parsePeriodLabel,
} from '../../../src/core/policy/names.ts';
import { periodAt } from '../../../src/core/policy/periods.ts';

const FRACTAL = '0b7c1f6e-3f8e-4f6e-9a63-0d9d0c1b2a3f';
const TIME = new Date('2026-03-01T14:05:09.999Z');
const time = fc.date({ min: new Date(0), max: new Date('9999-12-25T23:59:59.999Z'), noInvalidDate: true });

function seconds(date: Date | undefined): number | undefined {
  return date && Math.floor(date.getTime() / 1000);
}

test('a backup is named by the second, in UTC', () => {
  assert.equal(backupName(TIME), 'bifract-backup-20260301-140509.bifract-backup');
});

test('every backup name contains its time', () => {
  fc.assert(fc.property(time, (now) => assert.equal(seconds(backupTime(backupName(now))), seconds(now))));
});

test('other names are not taken for backups', () => {
  const others = [
    '',
    'bifract-backup-20260301-140509.bifract-backup.tmp',
    '.bifract-backup-20260301-140509.bifract-backup',
    'bifract-backup-20260230-140509.bifract-backup',
    'bifract-backup-20260301-240000.bifract-backup',
    'bifract-backup-2026031-140509.bifract-backup',
    'x/bifract-backup-20260301-140509.bifract-backup',
    'bifract-backup-20260301-140509.bifract-backup\n',
  ];
  for (const name of others) assert.equal(backupTime(name), undefined, JSON.stringify(name));
});

test('an archive is named by fractal, period and second', () => {
  assert.equal(archiveName(FRACTAL, TIME), `${FRACTAL}-20260301-140509.bifract-archive`);
  const name = archiveName(FRACTAL, TIME, '2026-03-02 to 2026-03-08');
  assert.equal(name, `${FRACTAL}-2026-03-02_to_2026-03-08-20260301-140509.bifract-archive`);
  assert.equal(archivePath(FRACTAL, name), `archives/${FRACTAL}/${name}`);
  assert.equal(fileLabel('2026-03-01 14:00'), '2026-03-01_1400');
});

test('every archive name can be parsed', () => {
  const label = fc.option(fc.tuple(fc.constantFrom('hour' as const, 'day' as const, 'week' as const), time), {
    nil: undefined,
  });
  fc.assert(
    fc.property(fc.uuid(), time, label, (id, now, period) => {
      const [split, at] = period ?? [];
      const text = split && at && periodAt(split, at.toISOString()).label;
      const read = parseArchiveName(archiveName(id, now, text));
      assert.deepEqual(
        [read?.fractal_id, read?.label, seconds(read?.created_at)],
        [id, text && fileLabel(text), seconds(now)],
      );
      assert.deepEqual(parsePeriodLabel(read?.label), { period: text ?? null, split: split ?? 'none' });
    }),
  );
});

test('other names are not taken for archives', () => {
  const others = [
    '',
    `${FRACTAL}.bifract-archive`,
    `x-20260301-140509.bifract-archive`,
    `${FRACTAL}-../x-20260301-140509.bifract-archive`,
  ];
  for (const name of others) assert.equal(parseArchiveName(name), undefined, name);
  fc.assert(fc.property(fc.string(), (name) => parseArchiveName(name) === undefined));
});

test('an id or label that is unsafe in a path is rejected', () => {
  assert.throws(() => archiveName('../../etc', TIME), RangeError);
  for (const label of ['', '..', '../x', 'a/b', 'a\\b', 'a\0', '.x'])
    assert.throws(() => fileLabel(label), RangeError);
});

test('only names that this program or the server uses are recognized', () => {
  const archive = `archives/${FRACTAL}/${FRACTAL}-20260301-120000.bifract-archive`;
  const managed = [
    'bifract-backup-20260301-120000.bifract-backup',
    'bifract-backup-20260301-120000.bifract-backup.rekey',
    archive,
    `${archive}.rekey`,
    'bifract-probe-0123456789abcdef',
  ];
  const foreign = [
    '',
    'x/bifract-backup-20260301-120000.bifract-backup',
    'bifract-backup-latest.bifract-backup',
    `other/${archive}`,
    archive.replace(FRACTAL, FRACTAL.replace(/^./, '1')),
    `${archive}.gz`,
    'bifract-probe-x',
  ];
  for (const name of managed) assert.ok(isBifractName(name), name);
  for (const name of foreign) assert.ok(!isBifractName(name), name);
});
