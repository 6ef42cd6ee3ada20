import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTexts } from '../../../src/components/view/lists/texts.ts';
import type { Snapshot } from '../../../src/components/view/types.ts';

interface Item {
  id: string;
}

test('the text of a row is made again if, and only if, something has changed that it was made of', () => {
  const calls = { id: 0, busy: 0, age: 0 };
  const columns = [
    { cell: ({ id }: Item) => ({ text: `${id} ${calls.id++ < 0}` }) },
    {
      cell: ({ id }: Item, { busy }: Snapshot) => {
        calls.busy++;
        return { text: busy.get(id) ?? 'idle' };
      },
    },
    {
      cell: (_: Item, { now }: Snapshot) => {
        calls.age++;
        return { text: `${Math.floor(now / 60_000)}m` };
      },
    },
  ];
  const items = [{ id: 'A' }, { id: 'B' }];
  const texts = createTexts<Item>();
  const snapshot = { now: 0, busy: new Map<string, string>(), jobs: [] } as unknown as Snapshot;
  const textsAt = (change: Partial<Snapshot>) => {
    Object.assign(calls, { id: 0, busy: 0, age: 0 });
    const textOf = texts(columns, { ...snapshot, ...change });
    return items.map((item) => textOf(item).text);
  };
  assert.deepEqual(textsAt({}), ['A false\nidle\n0m', 'B false\nidle\n0m']);
  assert.deepEqual(calls, { id: 2, busy: 2, age: 2 });
  textsAt({ jobs: [], now: 59_000 });
  assert.deepEqual(calls, { id: 0, busy: 0, age: 0 });
  assert.deepEqual(textsAt({ now: 60_000 }), ['A false\nidle\n1m', 'B false\nidle\n1m']);
  assert.deepEqual(calls, { id: 0, busy: 0, age: 2 });
  const busy = new Map([['B', 'deleting']]);
  assert.deepEqual(textsAt({ now: 60_000, busy }), ['A false\nidle\n1m', 'B false\ndeleting\n1m']);
  assert.deepEqual(calls, { id: 0, busy: 2, age: 0 });
  assert.equal(texts(columns.slice(0, 1), snapshot)({ id: 'C' }).lower, 'c false');
});
