import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { forgetContext, rememberContext, savedContexts } from '../../../src/components/state/contexts.ts';
import { noPreferences } from '../../../src/components/state/preferences.ts';

test('the installations opened last are remembered, each once, up to a limit', () => {
  const preferences = noPreferences();
  for (let at = 1; at <= 50; at++) rememberContext(preferences, { dir: `/srv/${at % 30}`, at });
  const dirs = savedContexts(preferences).map(({ dir }) => dir);
  assert.equal(dirs.length, 20);
  assert.equal(new Set(dirs).size, 20);
  assert.equal(dirs[0], '/srv/20');
  forgetContext(preferences, '/srv/20');
  assert.equal(savedContexts(preferences)[0]?.dir, '/srv/19');
});

test('whatever was saved, only valid entries are read', () => {
  fc.assert(
    fc.property(fc.array(fc.anything()), fc.nat(10), (values, index) => {
      const preferences = noPreferences();
      const good = { dir: '/opt/bifract', at: 1 };
      preferences.set('contexts', values.toSpliced(index, 0, good));
      const found = savedContexts(preferences);
      assert.ok(found.some(({ dir }) => dir === good.dir));
      for (const { dir, at } of found) assert.ok(dir.startsWith('/') && Number.isFinite(at));
    }),
  );
  for (const value of [undefined, null, 'x', { dir: '/a', at: 1 }]) {
    const preferences = noPreferences();
    preferences.set('contexts', value);
    assert.deepEqual(savedContexts(preferences), []);
  }
});
