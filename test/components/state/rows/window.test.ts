import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRowWindow } from '../../../../src/components/state/rows/window.ts';
import { CHUNK_ROWS } from '../../../../src/components/view/browse.ts';
import type { BrowsedRow } from '../../../../src/core/index.ts';

function rowAt(index: number, raw = `line ${index}`): BrowsedRow {
  return {
    index,
    ts: null,
    id: '',
    raw,
    raw_bytes: raw.length,
    text_from: 'raw',
    fields: null,
    cols: null,
    ingest_timestamp: null,
  };
}

/** A window whose reads end when the test says so. */
function pausedWindow(raw?: string) {
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

test('chunks on the screen are read first, one at a time', async () => {
  const { asked, window } = pausedWindow();
  window.request([CHUNK_ROWS, CHUNK_ROWS + 20], [CHUNK_ROWS * 2, CHUNK_ROWS * 2 + 20]);
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
  window.request([CHUNK_ROWS, CHUNK_ROWS + 20], [CHUNK_ROWS * 2, CHUNK_ROWS * 2 + 20]);
  asked[1]?.answer();
  await turn();
  assert.equal(asked.length, 2, 'no chunk is read twice');
  assert.deepEqual([...window.state().keys()], [1, 2]);
});

test('a read that is no longer requested is aborted', async () => {
  const { asked, window } = pausedWindow();
  window.request([0, 20], [20, 40]);
  window.request([CHUNK_ROWS * 100, CHUNK_ROWS * 100 + 20], [0, 0]);
  assert.equal(asked[0]?.signal.aborted, true);
  await turn();
  assert.deepEqual(
    asked.map(({ chunk }) => chunk),
    [0, 100],
  );
});

test('the number of cached chunks is limited', async () => {
  const { asked, window } = pausedWindow();
  for (let chunk = 0; chunk < 100; chunk++) {
    window.request([chunk * CHUNK_ROWS, chunk * CHUNK_ROWS + 20], [0, 0]);
    await turn();
    asked.at(-1)?.answer();
    await turn();
  }
  assert.equal(window.state().size, 16);
  assert.ok(window.state().has(99));
});

test('long lines are cut to what a terminal can show', async () => {
  const { asked, window } = pausedWindow(`\x1b[31m${'日'.repeat(500_000)}`);
  window.request([0, 10], [0, 0]);
  asked[0]?.answer();
  await turn();
  const chunk = window.state().get(0);
  assert.ok(chunk && 'length' in chunk && (chunk[0]?.line.length ?? 0) <= 4_000);
  assert.ok(chunk[0]?.line.startsWith('日'));
});

test('a failed chunk keeps its error until it is retried', async () => {
  const { asked, window } = pausedWindow();
  window.request([0, 10], [0, 0]);
  asked[0]?.fail();
  await turn();
  assert.deepEqual(window.state().get(0), { code: 'INTERNAL', message: 'no such chunk' });
  assert.equal(asked.length, 1, 'it is not retried by itself');
  window.retry();
  asked[1]?.answer();
  await turn();
  assert.ok('length' in (window.state().get(0) ?? {}));
});

test('a closed window reads nothing', async () => {
  const { asked, window } = pausedWindow();
  window.request([0, 10], [CHUNK_ROWS, CHUNK_ROWS * 2]);
  window.close();
  await turn();
  assert.equal(asked.length, 1);
  assert.equal(asked[0]?.signal.aborted, true);
});
