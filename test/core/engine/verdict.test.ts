import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BackupFile } from '../../../src/core/engine/contract.ts';
import { judge, type VerdictFacts } from '../../../src/core/engine/verdict.ts';
import type { FileCheck } from '../../../src/core/ports/state.ts';
import { fakeArchive, fakeBackup, fakeFractal, fakeHealth } from '../../helpers/fake-engine.ts';

const DAY = 86_400_000;
const ago = (days: number) => new Date(Date.now() - days * DAY).toISOString();
const FRACTAL = fakeFractal(1, { archive_schedule: 'daily' });
const OK = { at: ago(0), ok: true, quick: false, key_id: null, message: '', error: null };
const BAD = { ...OK, ok: false, message: 'Chunk 7 is damaged', error: { code: 'DAMAGED', message: 'm' } };

function drill(days: number, error: FileCheck['error'] = null): FileCheck {
  return {
    ...{ kind: 'drill', path: '/x', size_bytes: 1, modified_at: null, uuid: null, checksum: null },
    ...{ key_id: null, at: ago(days), message: '', error },
  } as FileCheck;
}

/** Facts of an installation in which all is well. */
function facts(given: Partial<VerdictFacts> = {}): VerdictFacts {
  return {
    now: new Date(),
    health: fakeHealth(),
    backups: [fakeBackup(0.5), fakeBackup(1.5)],
    fractals: [FRACTAL],
    archives: [fakeArchive(1, FRACTAL, { created_at: ago(1) })],
    checks: [drill(10)],
    ...given,
  };
}

const codes = (given: Partial<VerdictFacts>) => {
  const { safety, findings } = judge(facts(given));
  return [safety, ...findings.map(({ code }) => code)];
};

test('all is well', () => {
  const verdict = judge(facts());
  assert.deepEqual([verdict.safety, verdict.findings], ['safe', []]);
  assert.equal(verdict.last_good_backup?.created_at.slice(0, 16), ago(0.5).slice(0, 16));
  assert.equal(verdict.last_test_restore?.path, '/x');
});

test('nothing is safe before it is known to be, and a bad finding does not wait for the rest', () => {
  for (const absent of ['health', 'backups', 'fractals', 'archives', 'checks'] as const) {
    const { [absent]: _, ...rest } = facts();
    assert.equal(judge(rest).safety, 'unknown', absent);
  }
  assert.deepEqual(judge({ now: new Date() }).safety, 'unknown');
  assert.equal(judge({ now: new Date(), backups: [] }).safety, 'unsafe');
});

test('a backup is good if the keys open it, it is proven complete, and no check failed', () => {
  const error = { code: 'WRONG_KEY', message: 'Encrypted with another key' } as const;
  const cases: [Partial<BackupFile>, boolean][] = [
    [{}, true],
    [{ error }, false],
    [{ error, verified: OK, restored: OK }, false],
    [{ verified: BAD }, false],
    [{ restored: BAD }, false],
    [{ sealed: false }, false],
    [{ sealed: false, verified: { ...OK, quick: true } }, false],
    [{ sealed: false, verified: OK }, true],
    [{ sealed: false, restored: OK }, true],
    [{ created_at: new Date(Date.now() + DAY).toISOString() }, false],
  ];
  for (const [given, good] of cases) {
    const backups = [fakeBackup(0.5, given)];
    assert.equal(judge(facts({ backups })).last_good_backup !== null, good, JSON.stringify(given));
  }
});

test('findings about backups', () => {
  const wrong = { code: 'WRONG_KEY', message: 'Encrypted with another key' } as const;
  assert.deepEqual(codes({ backups: [] }), ['unsafe', 'NO_BACKUP']);
  assert.deepEqual(codes({ backups: [fakeBackup(0.5, { error: wrong })] }), ['unsafe', 'NO_GOOD_BACKUP']);
  assert.deepEqual(codes({ backups: [fakeBackup(0.5, { error: wrong }), fakeBackup(1)] }), [
    'partly',
    'NEWEST_BAD',
  ]);
  assert.deepEqual(codes({ backups: [fakeBackup(0.5, { sealed: false })] }), ['partly', 'NOT_VERIFIED']);
  assert.deepEqual(codes({ backups: [fakeBackup(3)] }), ['partly', 'BACKUP_OLD']);
  assert.deepEqual(codes({ backups: [fakeBackup(8)] }), ['unsafe', 'BACKUP_OLD']);
  assert.deepEqual(codes({ backups: [fakeBackup(1, { id: '/elsewhere/x' })] }), ['partly', 'OTHER_STORAGE']);
  const backups_error = { code: 'STORAGE_UNREACHABLE', message: 'gone' } as const;
  assert.deepEqual(
    codes({ backups_error }),
    ['unsafe', 'BACKUP_STORAGE'],
    'what was listed before is no news',
  );
});

test('findings about test restores', () => {
  const failed = { code: 'COUNT_DIFFERS', message: 'm' };
  assert.deepEqual(codes({ checks: [] }), ['partly', 'TEST_RESTORE_DUE']);
  assert.deepEqual(codes({ checks: [drill(100)] }), ['partly', 'TEST_RESTORE_DUE']);
  assert.deepEqual(codes({ checks: [drill(5), drill(2, failed)] }), ['unsafe', 'TEST_RESTORE_FAILED']);
  assert.deepEqual(codes({ checks: [drill(2), drill(5, failed)] }), ['safe']);
});

test('findings about archives', () => {
  const record = fakeArchive(1, FRACTAL, { created_at: ago(1) });
  const bad: FileCheck = {
    ...drill(0, { code: 'DAMAGED', message: 'm' }),
    kind: 'verify',
    path: `/archives/${record.storage_path}`,
    size_bytes: record.size_bytes,
  };
  assert.deepEqual(codes({ archives: [record], checks: [drill(1), bad] }), ['unsafe', 'ARCHIVES_BAD']);
  assert.deepEqual(codes({ archives: [] }), ['partly', 'NOT_ARCHIVED']);
  assert.deepEqual(codes({ archives: [{ ...record, status: 'failed' }] }), ['partly', 'NOT_ARCHIVED']);
  assert.deepEqual(codes({ archives: [{ ...record, created_at: ago(3) }] }), ['partly', 'ARCHIVE_OVERDUE']);
  const weekly = { ...FRACTAL, archive_schedule: 'weekly' };
  assert.deepEqual(codes({ fractals: [weekly], archives: [{ ...record, created_at: ago(3) }] }), ['safe']);
  const never = { ...FRACTAL, archive_schedule: 'never' };
  assert.deepEqual(codes({ fractals: [never], archives: [{ ...record, created_at: ago(300) }] }), ['safe']);
  assert.deepEqual(codes({ fractals: [{ ...FRACTAL, log_count: 0 }], archives: [] }), ['safe']);
});

test('findings about key, storage and databases; the worst comes first', () => {
  const down = { ok: false, detail: 'down', location: '' };
  const health = fakeHealth();
  const key = { ...health.key, ok: false, detail: 'missing' };
  assert.deepEqual(codes({ health: { ...health, key } }), ['unsafe', 'KEY']);
  assert.deepEqual(codes({ health: { ...health, backups: down } }), ['unsafe', 'BACKUP_STORAGE']);
  assert.deepEqual(codes({ health: { ...health, archives: down } }), ['unsafe', 'ARCHIVE_STORAGE']);
  const { fractals: _, archives: __, ...without } = facts({ health: { ...health, postgres: down } });
  assert.equal(judge(without).safety, 'partly');
  assert.deepEqual(codes({ health: { ...health, postgres: down }, checks: [], backups: [] }), [
    'unsafe',
    'NO_BACKUP',
    'TEST_RESTORE_DUE',
    'DATABASE',
  ]);
});
