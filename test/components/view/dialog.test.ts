import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Line } from '../../../src/components/text/line.ts';
import { layOutDialog } from '../../../src/components/view/dialog.ts';
import type { DialogState } from '../../../src/components/view/types.ts';

const option = (key: string, safe: boolean) => ({ key, label: key, safe, run: () => {} });

function dialogOf(items: number, given: Partial<DialogState> = {}): DialogState {
  return {
    title: 'Delete?',
    tone: 'bad',
    lines: ['first line', 'second line'],
    items: Array.from({ length: items }, (_, index): Line => [{ text: String(index) }]),
    confirmation: 'delete',
    options: [option('esc', true), option('ctrl-y', false)],
    focus: 0,
    ...given,
  };
}

/** Total lines of the box. */
function heightOf(area: { columns: number; height: number }, dialog: DialogState): number {
  const { spaced, text, items, visibleItems: room } = layOutDialog(area, dialog);
  const parts = [text.length, items.length, dialog.confirmation === undefined ? 0 : 1].filter(
    (count) => count > 0,
  ).length;
  const more = items.length > room ? 1 : 0;
  const confirmation = dialog.confirmation === undefined ? 0 : 1;
  return 2 + text.length + room + more + confirmation + dialog.options.length + (spaced ? parts + 2 : 0);
}

test('the options of a dialog are always visible, and all of its text can be reached by scrolling', () => {
  for (const height of [9, 12, 19, 35]) {
    for (const items of [0, 1, 2, 5, 100]) {
      for (const confirmation of [undefined, 'delete']) {
        const dialog = dialogOf(items, { confirmation: confirmation });
        const area = { columns: 60, height };
        assert.ok(heightOf(area, dialog) <= height, `${items} items in ${height} lines`);
        const layout = layOutDialog(area, dialog);
        assert.equal(layout.text.length + layout.items.length, 2 + items);
      }
    }
  }
});

test('empty lines are dropped before text is', () => {
  const area = { columns: 80, height: 10 };
  assert.deepEqual(
    [
      layOutDialog({ ...area, height: 19 }, dialogOf(1)),
      layOutDialog(area, dialogOf(1)),
      layOutDialog(area, dialogOf(1, { lines: Array(9).fill('x') })),
    ].map(({ spaced, text }) => [spaced, text.length]),
    [
      [true, 2],
      [false, 2],
      [false, 0],
    ],
  );
});
