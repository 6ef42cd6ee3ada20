import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  byFileName,
  type FileNow,
  lastArchiveCheck,
  lastCheckOf,
  lastChecks,
} from '../../../src/core/policy/file-checks.ts';
import type { FileCheck } from '../../../src/core/ports/state.ts';
import { archiveRecord } from '../../helpers/targets.ts';

const FILE: FileNow = {
  path: '/backups/a',
  size_bytes: 10,
  modified_at: '2026-03-01T10:00:00.900Z',
  uuid: 'u-1',
};
const DAMAGED = { code: 'DAMAGED', message: 'm' };

function check(given: Partial<FileCheck> = {}): FileCheck {
  return {
    ...FILE,
    kind: 'verify',
    checksum: 'ab',
    key_id: 'k',
    at: '2026-03-02T00:00:00Z',
    message: '',
    error: null,
    ...given,
  };
}

const of = (...checks: FileCheck[]) => lastChecks(byFileName(checks), FILE);

test('a check holds for the file with that path, size and time only', () => {
  assert.equal(of(check()).verified?.ok, true);
  // As a storage that has no fractions of a second says it.
  assert.equal(of(check({ modified_at: '2026-03-01T10:00:00Z' })).verified?.ok, true);
  for (const change of [
    { path: '/copy/a' },
    { path: '/backups/b' },
    { size_bytes: 11 },
    { modified_at: '2026-03-01T10:00:01Z' },
    { modified_at: null, size_bytes: null },
  ])
    assert.equal(of(check(change)).verified, null, JSON.stringify(change));
});

test('a test restore holds for every copy of the content, but not for a file without an id', () => {
  const copy = check({ kind: 'drill', path: '/elsewhere/a', modified_at: '2026-02-01T00:00:00Z' });
  assert.equal(of(copy).restored?.ok, true);
  assert.equal(of({ ...copy, uuid: 'u-2' }).restored, null);
  const unsealed = { ...FILE, uuid: null };
  assert.equal(lastChecks(byFileName([{ ...copy, uuid: null }]), unsealed).restored, null);
  assert.equal(lastChecks(byFileName([check({ kind: 'drill', uuid: null })]), unsealed).restored?.ok, true);
});

test('a quick check that passes does not outweigh a full verification; one that fails does', () => {
  const quick = (given: Partial<FileCheck>) => check({ kind: 'quick', at: '2026-03-03T00:00:00Z', ...given });
  assert.equal(of(quick({})).verified?.quick, true);
  assert.equal(of(check(), quick({})).verified?.quick, false);
  assert.equal(of(check({ error: DAMAGED }), quick({})).verified?.ok, false);
  assert.equal(of(check(), quick({ error: DAMAGED })).verified?.ok, false);
  assert.equal(of(check(), quick({ error: DAMAGED, at: '2026-03-01T23:00:00Z' })).verified?.ok, true);
  assert.equal(of(check({ error: DAMAGED }), check({ at: '2026-03-04T00:00:00Z' })).verified?.ok, true);
});

test('an archive is the file that its record names, with the size and the checksum there', () => {
  const record = archiveRecord({ size_bytes: 10, checksum: 'ab' });
  const path = `/archives/${record.storage_path}`;
  const last = (given: Partial<FileCheck>) =>
    lastArchiveCheck(byFileName([check({ path, ...given })]), record);
  assert.equal(last({})?.ok, true);
  assert.equal(last({ checksum: null, kind: 'quick' })?.quick, true);
  assert.equal(last({ checksum: 'cd' }), null, 'another file then');
  assert.equal(last({ checksum: 'cd', error: DAMAGED })?.ok, false);
  assert.equal(last({ size_bytes: 11 }), null);
  assert.equal(last({ path: `/copy/${record.filename}` }), null);
  const missing = { size_bytes: null, error: { code: 'NOT_FOUND', message: 'm' } };
  for (const named of [record.id, record.storage_path]) {
    assert.equal(last({ ...missing, path: named })?.error?.code, 'NOT_FOUND', named);
  }
});

test('a file of which only path and size are known', () => {
  const checks = byFileName([check()]);
  assert.equal(lastCheckOf(checks, FILE)?.ok, true);
  assert.equal(lastCheckOf(checks, { ...FILE, size_bytes: 1 }), null);
});
