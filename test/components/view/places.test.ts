import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resembles } from '../../../src/components/text/fuzzy.ts';
import { searchPlaces } from '../../../src/components/view/places.ts';
import type { Snapshot } from '../../../src/components/view/types.ts';
import { fakeArchive, fakeBackup, fakeFractal } from '../../helpers/fake-engine.ts';

const fractals = ['web-prod', 'web-staging', 'firewall'].map((name, seed) => fakeFractal(seed, { name }));

function snapshotOf(archives: number): Snapshot {
  const loaded = <T>(value: T) => ({ value, loading: false });
  const records = Array.from({ length: archives }, (_, seed) =>
    fakeArchive(seed, fractals[seed % 3] ?? fakeFractal(1), {
      created_at: new Date(Date.UTC(2026, 2, 1) - seed * 3_600_000).toISOString(),
    }),
  );
  return {
    contexts: { recent: [{ dir: '/srv/prod', at: 1 }] },
    data: { fractals: loaded(fractals), archives: loaded(records), backups: loaded([fakeBackup(1)]) },
  } as unknown as Snapshot;
}

const names = (found: readonly { kind: string; name: string }[]) =>
  found.map(({ kind, name }) => `${kind} ${name}`);

test('fractals, archives, backups and installations are found by readable names', () => {
  const snapshot = snapshotOf(100);
  assert.deepEqual(names(searchPlaces(snapshot, 'context prod')), ['context /srv/prod']);
  assert.equal(names(searchPlaces(snapshot, 'web'))[0], 'fractal web-prod');
  const [first, second] = names(searchPlaces(snapshot, 'archive web-prod'));
  assert.deepEqual(
    [first, second],
    ['archive web-prod, 2026-03-01 00:00', 'archive web-prod, 2026-02-28 21:00'],
  );
  assert.deepEqual(names(searchPlaces(snapshot, 'WEB-prod 2026-02-28 21:')), [
    'archive web-prod, 2026-02-28 21:00',
  ]);
  assert.equal(searchPlaces(snapshot, 'backup').length, 1);
  assert.deepEqual(searchPlaces(snapshot, ''), []);
  assert.deepEqual(searchPlaces(snapshot, 'nothing like it'), []);
});

test('similar names are found only if there is no better match, and numbers are never similar', () => {
  const snapshot = snapshotOf(3);
  assert.deepEqual(names(searchPlaces(snapshot, 'wbstg'))[0], 'fractal web-staging');
  assert.deepEqual(searchPlaces(snapshot, '2627'), []);
  assert.ok(resembles('firewall', 'frwl'));
  assert.ok(!resembles('fxxxxxxxxxxxxirewall', 'fi'));
});

test('20,000 archives are searched within a frame, and at most 50 are listed', () => {
  const snapshot = snapshotOf(20_000);
  searchPlaces(snapshot, 'w');
  for (const query of ['web', 'zzzz', 'wbprd', 'archive 2026']) {
    const from = process.cpuUsage();
    assert.ok(searchPlaces(snapshot, query).length <= 50);
    const { user } = process.cpuUsage(from);
    assert.ok(user < 150_000, `${query} took ${user / 1000} ms of CPU`);
  }
});
