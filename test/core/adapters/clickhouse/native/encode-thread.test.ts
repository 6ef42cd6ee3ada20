import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EncodeThread } from '../../../../../src/core/adapters/clickhouse/native/encode-thread.ts';
import { PADDING } from '../../../../../src/core/adapters/clickhouse/native/line-encoder.ts';
import { refuses } from '../../../../contracts/storage.ts';
import { encodeLines } from '../../../../helpers/encode-lines.ts';
import { LIMIT_MS, until } from '../../../../helpers/until.ts';

const SHAPE = { fields: { type: 'JSON', typed: [], max_paths: 1024, nests: true }, cols: [] };
const ENCODED =
  '{"ts":"2026-03-01T12:00:00Z","raw":"x","id":"1","its":"2026-03-01T12:00:00Z","fields":{"a":"b"}}\n';
const TEXT = ENCODED.replace('"b"', '[1,"b"]');

function memoryOf(lines: string): ArrayBuffer {
  const memory = new ArrayBuffer(lines.length + PADDING);
  new Uint8Array(memory).set(Buffer.from(lines));
  return memory;
}

function activeThreads(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'MessagePort').length;
}

test('returns what the encoder makes, and the buffers; a parked thread is ready for the next load', async () => {
  const free: ArrayBuffer[] = [];
  const thread = new EncodeThread((buffer) => free.push(buffer));
  for (const load of [1, 2]) {
    thread.start(SHAPE);
    const lines = ENCODED + TEXT;
    const { blocks, text } = await thread.add(memoryOf(lines), lines.length);
    assert.deepEqual({ blocks, text: text.toString() }, { blocks: [], text: TEXT });
    assert.equal(free.length, load);
    assert.equal(free.at(-1)?.byteLength, lines.length + PADDING);
    const { blocks: last } = await thread.finish();
    assert.ok(last[0]?.equals(encodeLines(Buffer.from(ENCODED), SHAPE).blocks[0] as Buffer));
    assert.ok(thread.park());
    assert.equal(activeThreads(), 0, 'a parked thread does not keep the process alive');
  }
  await thread.close();
});

test('a crashed thread rejects pending and later requests, and cannot be parked', async () => {
  const thread = new EncodeThread(() => {});
  thread.start(SHAPE);
  // No room for the padding.
  const pending = [thread.add(new ArrayBuffer(8), 8), thread.finish()];
  assert.equal(thread.park(), false);
  for (const result of pending) await refuses('INTERNAL', result);
  await refuses('INTERNAL', thread.finish());
  assert.equal(thread.failure?.transient, true);
  assert.equal(thread.park(), false);
  await thread.close();
  await until(() => activeThreads() === 0, LIMIT_MS, 'the thread to end');
});
