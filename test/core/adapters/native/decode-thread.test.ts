import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecodeThread } from '../../../../src/core/adapters/native/decode-thread.ts';
import { refuses } from '../../../contracts/storage.ts';
import { nativeBlock } from '../../../helpers/native-block.ts';
import { until } from '../../../helpers/processes.ts';

const BLOCK = nativeBlock([{ ms: 1772366400000, raw: 'x', id: '1', fields: { a: 'b' } }]);

function send(thread: DecodeThread, bytes: Buffer) {
  const buffer = thread.buffer(bytes.length);
  new Uint8Array(buffer).set(bytes);
  return thread.add(buffer, bytes.length);
}

function threads(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'MessagePort').length;
}

test('decodes what it is sent, and gives buffers back to be filled again', async () => {
  const thread = new DecodeThread('f');
  await send(thread, BLOCK);
  const kept = thread.buffer(1);
  assert.equal(kept.byteLength, BLOCK.length);
  const { blocks, end } = await thread.finish();
  assert.equal(end, 'all');
  assert.match(String(blocks[0]?.bytes), /^\{"ts":"2026-03-01T12:00:00.000Z","raw":"x".*\{"a":"b"\}\}\n$/);
  await thread.close();
});

test('a thread that dies fails what was asked of it, and what is asked of it after that', async () => {
  const thread = new DecodeThread('f');
  // More than the buffer holds.
  const asked = [thread.add(new ArrayBuffer(8), 1000), send(thread, BLOCK), thread.finish()];
  for (const answer of asked) await refuses('INTERNAL', answer);
  await refuses('INTERNAL', send(thread, BLOCK));
  await assert.rejects(thread.finish(), /thread that decodes rows has ended: .*bounds/);
  await thread.close();
});

test('a thread that is closed with work before it leaves nothing behind', async () => {
  const thread = new DecodeThread('f');
  const asked = Array.from({ length: 20 }, () => send(thread, BLOCK));
  await thread.close();
  const answers = await Promise.allSettled(asked);
  assert.equal(answers.at(-1)?.status, 'rejected');
  await until('the thread has ended', () => threads() === 0);
});
