import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initialUi, reduce } from '../../src/components/reducer.ts';
import { cursorIndex, NEW_LIST } from '../../src/components/view/rows.ts';

const ids = Array.from({ length: 30 }, (_, index) => `id-${index}`);

test('the cursor stays within the list and drags the window', () => {
  let ui = reduce(initialUi(), { type: 'cursor', key: 'k', ids, index: 12, height: 10 });
  assert.equal(ui.lists.k?.cursor, 'id-12');
  assert.equal(ui.lists.k?.top, 3);
  ui = reduce(ui, { type: 'cursor', key: 'k', ids, index: 99, height: 10 });
  assert.equal(ui.lists.k?.cursor, 'id-29');
  assert.equal(ui.lists.k?.top, 20);
});

test('a cursor whose row has gone stays where it was', () => {
  const list = { ...NEW_LIST, cursor: 'id-5', index: 5 };
  assert.equal(cursorIndex(['a', 'id-5'], list), 1);
  assert.equal(cursorIndex(['a', 'b', 'c'], list), 2);
  assert.equal(cursorIndex([], list), 0);
});

test('marks come and go, and a mark is not the cursor', () => {
  let ui = reduce(initialUi(), { type: 'mark', key: 'k', id: 'a' });
  ui = reduce(ui, { type: 'mark', key: 'k', id: 'b' });
  ui = reduce(ui, { type: 'mark', key: 'k', id: 'a' });
  assert.deepEqual([...(ui.lists.k?.marks ?? [])], ['b']);
  assert.equal(reduce(ui, { type: 'unmark', key: 'k' }).lists.k?.marks.size, 0);
});

test('places are a stack whose root stays', () => {
  let ui = reduce(initialUi(), { type: 'go', place: { name: 'fractals' } });
  ui = reduce(ui, { type: 'open', place: { name: 'fractal-archives', subject: 'x' } });
  ui = reduce(ui, { type: 'back' });
  ui = reduce(ui, { type: 'back' });
  assert.deepEqual(ui.stack, [{ name: 'fractals' }]);
});

test('the log keeps the newest, quiet entries do not flash', () => {
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
  assert.equal(ui.flash?.id, '0');
});
