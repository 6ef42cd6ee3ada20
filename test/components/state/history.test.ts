import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recall, remember } from '../../../src/components/state/history.ts';
import { noPreferences } from '../../../src/components/state/preferences.ts';

test('older and newer texts are recalled, and then what had been typed', () => {
  const preferences = noPreferences();
  for (const text of ['one', 'two', 'one', ' ', 'three']) remember(preferences, 'search', text);
  let input: Parameters<typeof recall>[2] = { text: 'draft' };
  const go = (direction: 'older' | 'newer') => {
    input = recall(preferences, 'search', input, direction) ?? input;
    return input.text;
  };
  assert.equal(go('newer'), 'draft');
  assert.deepEqual([go('older'), go('older'), go('older'), go('older')], ['three', 'one', 'two', 'two']);
  assert.deepEqual([go('newer'), go('newer'), go('newer'), go('newer')], ['one', 'three', 'draft', 'draft']);
  assert.equal(recall(preferences, 'filter', { text: '' }, 'older'), undefined);
});

test('the history is bounded, and what was saved by hand does no harm', () => {
  const preferences = noPreferences();
  for (let index = 0; index < 200; index++) remember(preferences, 'filter', `text ${index}`);
  remember(preferences, 'filter', 'x'.repeat(10_000));
  const saved = preferences.get('history.filter') as string[];
  assert.equal(saved.length, 50);
  assert.equal(saved.at(-1), 'text 199');
  for (const broken of ['text', 7, null, [1, null, {}]]) {
    preferences.set('history.filter', broken);
    assert.equal(recall(preferences, 'filter', { text: '' }, 'older'), undefined);
  }
});
