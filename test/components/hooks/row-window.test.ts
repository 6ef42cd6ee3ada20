import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRowWindow } from '../../../src/components/hooks/row-window.ts';
import { CHUNK_ROWS } from '../../../src/components/view/browse.ts';
import type { BrowsedRow } from '../../../src/core/index.ts';

function rowAt(index: number, raw = `line ${index}`): BrowsedRow {
  return { index, ts: null, id: '', raw, raw_bytes: raw.length, fields: null, ingest_timestamp: null };
}

/** A window on rows that come when they are let. */
function heldWindow(raw?: string) {
  const asked: { chunk: number; signal: AbortSignal; answer: () => void; fail: () => void }[] = [];
  const read = (from: number, count: number, { signal }: { signal: AbortSignal }) =>
    new Promise<BrowsedRow[]>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
      asked.push({
        chunk: from / CHUNK_ROWS,
        signal,
        answer: () => resolve(Array.from({ length: count }, (_, at) => rowAt(from + at, raw))),
        fail: () => reject(new Error('no such chunk')),
      });
    });
  return { asked, window: createRowWindow(read, () => {}) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('what is on the screen is read before what comes next, one at a time', async () => {
  const { asked, window } = heldWindow();
  window.want([CHUNK_ROWS, CHUNK_ROWS + 20], [CHUNK_ROWS * 2, CHUNK_ROWS * 2 + 20]);
  assert.deepEqual(
    asked.map(({ chunk }) => chunk),
    [1],
  );
  asked[0]?.answer();
  await turn();
  assert.deepEqual(
    asked.map(({ chunk }) => chunk),
    [1, 2],
  );
  window.want([CHUNK_ROWS, CHUNK_ROWS + 20], [CHUNK_ROWS * 2, CHUNK_ROWS * 2 + 20]);
  asked[1]?.answer();
  await turn();
  assert.equal(asked.length, 2, 'nothing is read twice');
  assert.deepEqual([...window.state().keys()], [1, 2]);
});

test('what is no longer wanted is given up at once', async () => {
  const { asked, window } = heldWindow();
  window.want([0, 20], [20, 40]);
  window.want([CHUNK_ROWS * 100, CHUNK_ROWS * 100 + 20], [0, 0]);
  assert.equal(asked[0]?.signal.aborted, true);
  await turn();
  assert.deepEqual(
    asked.map(({ chunk }) => chunk),
    [0, 100],
  );
});

test('however far one goes, only so much is kept', async () => {
  const { asked, window } = heldWindow();
  for (let chunk = 0; chunk < 100; chunk++) {
    window.want([chunk * CHUNK_ROWS, chunk * CHUNK_ROWS + 20], [0, 0]);
    await turn();
    asked.at(-1)?.answer();
    await turn();
  }
  assert.equal(window.state().size, 16);
  assert.ok(window.state().has(99));
});

test('of a long line only what a terminal can show is kept', async () => {
  const { asked, window } = heldWindow(`\x1b[31m${'日'.repeat(500_000)}`);
  window.want([0, 10], [0, 0]);
  asked[0]?.answer();
  await turn();
  const chunk = window.state().get(0);
  assert.ok(chunk && 'length' in chunk && (chunk[0]?.line.length ?? 0) <= 1_000);
  assert.ok(chunk[0]?.line.startsWith('日'));
});

test('what cannot be read keeps its reason, until it is tried again', async () => {
  const { asked, window } = heldWindow();
  window.want([0, 10], [0, 0]);
  asked[0]?.fail();
  await turn();
  assert.deepEqual(window.state().get(0), { code: 'INTERNAL', message: 'no such chunk' });
  assert.equal(asked.length, 1, 'it is not tried over and over');
  window.retry();
  asked[1]?.answer();
  await turn();
  assert.ok('length' in (window.state().get(0) ?? {}));
});

test('a closed window reads nothing more', async () => {
  const { asked, window } = heldWindow();
  window.want([0, 10], [CHUNK_ROWS, CHUNK_ROWS * 2]);
  window.close();
  await turn();
  assert.equal(asked.length, 1);
  assert.equal(asked[0]?.signal.aborted, true);
});
