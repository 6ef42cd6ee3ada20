import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initialUi, reduce } from '../../../src/components/state/reducer.ts';
import { cursorIndex } from '../../../src/components/view/lists/list.ts';
import { NEW_LIST } from '../../../src/components/view/snapshot.ts';

const ids = Array.from({ length: 30 }, (_, index) => `id-${index}`);

test('the cursor stays within the list and scrolls it', () => {
  let ui = reduce(initialUi(), { type: 'cursor', key: 'k', ids, index: 12, height: 10 });
  assert.equal(ui.lists.k?.cursor, 'id-12');
  assert.equal(ui.lists.k?.top, 3);
  ui = reduce(ui, { type: 'cursor', key: 'k', ids, index: 99, height: 10 });
  assert.equal(ui.lists.k?.cursor, 'id-29');
  assert.equal(ui.lists.k?.top, 20);
});

test('the cursor keeps its index if its row disappears', () => {
  const list = { ...NEW_LIST, cursor: 'id-5', index: 5 };
  assert.equal(cursorIndex(['a', 'id-5'], list), 1);
  assert.equal(cursorIndex(['a', 'b', 'c'], list), 2);
  assert.equal(cursorIndex([], list), 0);
});

test('rows are selected and deselected one by one, and all at once', () => {
  let ui = reduce(initialUi(), { type: 'toggleSelected', key: 'k', id: 'a' });
  ui = reduce(ui, { type: 'toggleSelected', key: 'k', id: 'b' });
  ui = reduce(ui, { type: 'toggleSelected', key: 'k', id: 'a' });
  assert.deepEqual([...(ui.lists.k?.selected ?? [])], ['b']);
  assert.equal(reduce(ui, { type: 'clearSelection', key: 'k' }).lists.k?.selected.size, 0);
});

test('screens are a stack whose root stays', () => {
  let ui = reduce(initialUi(), { type: 'go', screen: { name: 'fractals' } });
  ui = reduce(ui, { type: 'open', screen: { name: 'fractal-archives', subject: 'x' } });
  ui = reduce(ui, { type: 'back' });
  ui = reduce(ui, { type: 'back' });
  assert.deepEqual(ui.stack, [{ name: 'fractals' }]);
});

test('the log keeps the newest entries; quiet ones are not on the message line', () => {
  let ui = initialUi();
  for (let index = 0; index < 600; index++) {
    ui = reduce(ui, {
      type: 'log',
      entry: { id: `${index}`, at: index, severity: 'info', text: 't' },
      quiet: index > 0,
    });
  }
  assert.equal(ui.log.length, 500);
  assert.equal(ui.log.at(-1)?.id, '599');
  assert.equal(ui.statusMessage?.id, '0');
});
