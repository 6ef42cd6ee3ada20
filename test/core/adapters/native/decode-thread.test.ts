import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecodeThread } from '../../../../src/core/adapters/native/decode-thread.ts';
import { DecodeThreads } from '../../../../src/core/adapters/native/decode-threads.ts';
import type { Decoded } from '../../../../src/core/adapters/native/decoder.ts';
import { refuses } from '../../../contracts/storage.ts';
import { nativeBlock } from '../../../helpers/native-block.ts';
import { LIMIT_MS, until } from '../../../helpers/until.ts';

const BLOCK = nativeBlock([{ ms: 1772366400000, raw: 'x', id: '1', fields: { a: 'b' } }]);

const F = { fractal_id: 'f', fields: true };

function send(thread: DecodeThread, bytes: Buffer) {
  const buffer = thread.buffer(bytes.length);
  new Uint8Array(buffer).set(bytes);
  return thread.add(buffer, bytes.length);
}

function begun(): DecodeThread {
  const thread = new DecodeThread();
  thread.begin(F);
  return thread;
}

function threads(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'MessagePort').length;
}

test('decodes what it is sent, and gives buffers back to be filled again', async () => {
  const thread = begun();
  await send(thread, BLOCK);
  const kept = thread.buffer(1);
  assert.equal(kept.byteLength, BLOCK.length);
  const { blocks, end } = await thread.finish();
  assert.equal(end, 'all');
  assert.match(String(blocks[0]?.bytes), /^\{"ts":"2026-03-01T12:00:00.000Z","raw":"x".*\{"a":"b"\}\}\n$/);
  await thread.close();
});

test('memory of lines that are read goes back with what is sent next, and is written again', async () => {
  const thread = begun();
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
      thread.reuse(bytes);
      returned.push(bytes);
    }
  };
  const returned: Buffer[] = [];
  for (let at = 0; at < rows.length; at += 100) {
    read(await send(thread, nativeBlock(rows.slice(at, at + 100))));
    reused = returned.filter(({ length }) => length === 0).length;
  }
  read(await thread.finish());
  assert.ok(reused > 0, 'some went back');
  assert.deepEqual(lines, expected);
  await thread.close();
});

test('a thread that dies fails what was asked of it, and what is asked of it after that', async () => {
  const thread = begun();
  // More than the buffer holds.
  const asked = [thread.add(new ArrayBuffer(8), 1000), send(thread, BLOCK), thread.finish()];
  for (const answer of asked) await refuses('INTERNAL', answer);
  await refuses('INTERNAL', send(thread, BLOCK));
  await assert.rejects(thread.finish(), /thread that decodes rows has ended: .*bounds/);
  await thread.close();
});

test('a thread that is closed with work before it leaves nothing behind', async () => {
  const thread = begun();
  const asked = Array.from({ length: 20 }, () => send(thread, BLOCK));
  await thread.close();
  const answers = await Promise.allSettled(asked);
  assert.equal(answers.at(-1)?.status, 'rejected');
  await until(() => threads() === 0, LIMIT_MS, 'the thread has ended');
});

test('a thread that was prepared is taken, and one that rests is the one that was prepared', async () => {
  const kept = new DecodeThreads();
  kept.prepare();
  assert.equal(threads(), 0, 'it keeps no process');
  const thread = kept.take(F);
  assert.equal(threads(), 1);
  await send(thread, BLOCK);
  assert.equal((await thread.finish()).end, 'all');
  await kept.give(thread);
  kept.prepare();
  assert.equal(kept.take(F), thread);
  await thread.finish();
  await kept.close();
  await thread.close();
  await until(() => threads() === 0, LIMIT_MS, 'the thread has ended');
});

test('a thread is kept for the next answer, of another fractal too; it does not keep the process', async () => {
  const kept = new DecodeThreads();
  const first = kept.take(F);
  await send(first, BLOCK);
  assert.equal((await first.finish()).end, 'all');
  await kept.give(first);
  await until(() => threads() === 0, LIMIT_MS, 'the thread rests');
  const second = kept.take({ ...F, fractal_id: 'g' });
  assert.equal(second, first);
  const { blocks } = await send(second, BLOCK);
  const { blocks: rest } = await second.finish();
  assert.match(String([...blocks, ...rest][0]?.bytes), /"fid":"g"/);
  await kept.give(second);
  await kept.close();
  await refuses('INTERNAL', second.finish());
});

test('a thread that failed, or has not come to its end, is not kept, nor is one after the close', async () => {
  const kept = new DecodeThreads();
  const busy = kept.take(F);
  const asked = send(busy, BLOCK);
  await kept.give(busy);
  await asked.catch(() => undefined);
  const broken = kept.take(F);
  assert.notEqual(broken, busy);
  await refuses('INTERNAL', broken.add(new ArrayBuffer(8), 1000));
  await kept.give(broken);
  const fallen = kept.take(F);
  await kept.give(fallen);
  await fallen.close();
  const last = kept.take(F);
  assert.notEqual(last, fallen);
  assert.notEqual(last, broken);
  const [one, other] = [kept.take(F), kept.take(F)];
  await kept.give(one);
  await kept.give(other);
  assert.equal(kept.take(F), one);
  await refuses('INTERNAL', other.finish());
  await kept.close();
  await kept.give(one);
  await kept.give(last);
  for (const ended of [one, last]) await refuses('INTERNAL', ended.finish());
  await until(() => threads() === 0, LIMIT_MS, 'the threads have ended');
});
