import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DecodeThread,
  DecodeThreads,
} from '../../../../../src/core/adapters/clickhouse/native/decode-thread.ts';
import type { Decoded } from '../../../../../src/core/adapters/clickhouse/native/decoder.ts';
import { refuses } from '../../../../contracts/storage.ts';
import { nativeBlock } from '../../../../helpers/native-block.ts';
import { LIMIT_MS, until } from '../../../../helpers/until.ts';

const BLOCK = nativeBlock([{ ms: 1772366400000, raw: 'x', id: '1', fields: { a: 'b' } }]);

const F = { fractal_id: 'f', fields: true };

function send(thread: DecodeThread, bytes: Buffer) {
  const buffer = thread.buffer(bytes.length);
  new Uint8Array(buffer).set(bytes);
  return thread.add(buffer, bytes.length);
}

function startedThread(): DecodeThread {
  const thread = new DecodeThread();
  thread.start(F);
  return thread;
}

function activeThreads(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'MessagePort').length;
}

test('decodes a block and returns the buffer for reuse', async () => {
  const thread = startedThread();
  await send(thread, BLOCK);
  const reused = thread.buffer(1);
  assert.equal(reused.byteLength, BLOCK.length);
  const { blocks, end } = await thread.finish();
  assert.equal(end, 'complete');
  assert.match(String(blocks[0]?.bytes), /^\{"ts":"2026-03-01T12:00:00.000Z","raw":"x".*\{"a":"b"\}\}\n$/);
  await thread.close();
});

test('recycled line buffers go back to the thread and are reused', async () => {
  const thread = startedThread();
  const rows = Array.from({ length: 3000 }, (_, n) => ({
    ms: 1772366400000 + n,
    raw: `line ${n} ${'x'.repeat(500)}`,
    id: `${n}`,
    fields: {},
  }));
  const expected = rows.map(({ raw }) => raw);
  const lines: string[] = [];
  let reused = 0;
  const read = ({ blocks }: Decoded) => {
    for (const { bytes } of blocks) {
      for (const line of bytes.toString().split('\n').slice(0, -1)) lines.push(JSON.parse(line).raw);
      thread.recycle(bytes);
      returned.push(bytes);
    }
  };
  const returned: Buffer[] = [];
  for (let at = 0; at < rows.length; at += 100) {
    read(await send(thread, nativeBlock(rows.slice(at, at + 100))));
    reused = returned.filter(({ length }) => length === 0).length;
  }
  read(await thread.finish());
  assert.ok(reused > 0);
  assert.deepEqual(lines, expected);
  await thread.close();
});

test('a crashed thread rejects pending and later requests', async () => {
  const thread = startedThread();
  // More than the buffer holds.
  const pending = [thread.add(new ArrayBuffer(8), 1000), send(thread, BLOCK), thread.finish()];
  for (const result of pending) await refuses('INTERNAL', result);
  await refuses('INTERNAL', send(thread, BLOCK));
  await assert.rejects(thread.finish(), (error: Error) => error.cause instanceof RangeError);
  await thread.close();
});

test('closing a busy thread ends it and rejects its requests', async () => {
  const thread = startedThread();
  const pending = Array.from({ length: 20 }, () => send(thread, BLOCK));
  await thread.close();
  const results = await Promise.allSettled(pending);
  assert.equal(results.at(-1)?.status, 'rejected');
  await until(() => activeThreads() === 0, LIMIT_MS, 'the thread to end');
});

test('a prepared thread is acquired first, and prepare keeps an idle thread', async () => {
  const threads = new DecodeThreads();
  threads.prepare();
  assert.equal(activeThreads(), 0, 'a parked thread does not keep the process alive');
  const thread = threads.acquire(F);
  assert.equal(activeThreads(), 1);
  await send(thread, BLOCK);
  assert.equal((await thread.finish()).end, 'complete');
  await threads.release(thread);
  threads.prepare();
  assert.equal(threads.acquire(F), thread);
  await thread.finish();
  await threads.close();
  await thread.close();
  await until(() => activeThreads() === 0, LIMIT_MS, 'the thread to end');
});

test('a thread is reused for the next response, also of another fractal, and does not keep the process alive', async () => {
  const threads = new DecodeThreads();
  const first = threads.acquire(F);
  await send(first, BLOCK);
  assert.equal((await first.finish()).end, 'complete');
  await threads.release(first);
  await until(() => activeThreads() === 0, LIMIT_MS, 'the thread to park');
  const second = threads.acquire({ ...F, fractal_id: 'g' });
  assert.equal(second, first);
  const { blocks } = await send(second, BLOCK);
  const { blocks: rest } = await second.finish();
  assert.match(String([...blocks, ...rest][0]?.bytes), /"fid":"g"/);
  await threads.release(second);
  await threads.close();
  await refuses('INTERNAL', second.finish());
});

test('a thread that failed or has not finished is not reused, nor is any thread after close', async () => {
  const threads = new DecodeThreads();
  const busy = threads.acquire(F);
  const pending = send(busy, BLOCK);
  await threads.release(busy);
  await pending.catch(() => undefined);
  const broken = threads.acquire(F);
  assert.notEqual(broken, busy);
  await refuses('INTERNAL', broken.add(new ArrayBuffer(8), 1000));
  await threads.release(broken);
  const closed = threads.acquire(F);
  await threads.release(closed);
  await closed.close();
  const last = threads.acquire(F);
  assert.notEqual(last, closed);
  assert.notEqual(last, broken);
  const [one, other] = [threads.acquire(F), threads.acquire(F)];
  await threads.release(one);
  await threads.release(other);
  assert.deepEqual(new Set([threads.acquire(F), threads.acquire(F)]), new Set([one, other]));
  await threads.release(other);
  await threads.close();
  await threads.release(one);
  await threads.release(last);
  for (const ended of [one, other, last]) await refuses('INTERNAL', ended.finish());
  await until(() => activeThreads() === 0, LIMIT_MS, 'the threads to end');
});
