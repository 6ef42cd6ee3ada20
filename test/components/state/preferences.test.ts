import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { noPreferences, savedSettings } from '../../../src/components/state/preferences.ts';
import { DEFAULT_SETTINGS, SETTINGS, withSetting } from '../../../src/components/view/settings.ts';

test('every choice of every setting survives saving and reading', () => {
  for (const { key, choices } of SETTINGS) {
    for (const [value] of choices) {
      const preferences = noPreferences();
      preferences.set(`settings.${key}`, value);
      assert.deepEqual(savedSettings(preferences), { ...DEFAULT_SETTINGS, [key]: value });
    }
  }
});

test('a saved value that is not a choice falls back to the default, and leaves the others alone', () => {
  fc.assert(
    fc.property(fc.anything(), fc.constantFrom(...SETTINGS), (value, { key, choices }) => {
      fc.pre(!choices.some(([choice]) => choice === value));
      const preferences = noPreferences();
      preferences.set('settings.units', 'si');
      preferences.set(`settings.${key}`, value);
      const expected = key === 'units' ? DEFAULT_SETTINGS : { ...DEFAULT_SETTINGS, units: 'si' };
      assert.deepEqual(savedSettings(preferences), expected);
      assert.equal(withSetting(DEFAULT_SETTINGS, key, value), DEFAULT_SETTINGS);
    }),
  );
});
