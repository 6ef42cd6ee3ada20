import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import v8 from 'node:v8';
import { runInNewContext } from 'node:vm';
import { openS3Storage } from '../../../../src/core/adapters/s3/storage.ts';
import { cancelled } from '../../../../src/core/contract/errors.ts';
import type { Storage } from '../../../../src/core/ports/storage.ts';
import { collect, pattern, pieces, refuses } from '../../../contracts/storage.ts';
import type { FaultPlan } from '../../../helpers/s3/fault.ts';
import { BUCKET, QUICK_RETRIES, startS3Server, testS3Settings } from '../../../helpers/s3/test-server.ts';

const CONTENT = pattern(3_000_000);

let lab: Awaited<ReturnType<typeof startS3Server>>;
let storage: Storage;

before(async () => {
  lab = await startS3Server();
  storage = openS3Storage(testS3Settings(lab.server.url), { retry: QUICK_RETRIES });
  await storage.put('a.bin', pieces(CONTENT, 100_000));
});

afterEach(() => {
  lab.server.fault = undefined;
});

after(() => lab.stop());

/** Lets the first reads fail with these faults. */
function reads(faults: Parameters<FaultPlan>[0] extends infer _ ? ReturnType<FaultPlan>[] : never): string[] {
  const left = [...faults];
  const asked: string[] = [];
  lab.server.fault = ({ operation }) => {
    if (operation !== 'get-object') return undefined;
    asked.push(operation);
    return left.shift();
  };
  return asked;
}

test('a read resumes at the byte where its connection broke', async () => {
  const asked = reads([
    { cut_response_after: 1_000_000 },
    { cut_response_after: 500_001 },
    { status: 503, code: 'SlowDown' },
  ]);
  assert.ok((await collect(storage.stream('a.bin', { offset: 7 }))).equals(CONTENT.subarray(7)));
  assert.equal(asked.length, 4);
});

test('a stalled read resumes, too', async () => {
  const asked = reads([{ stall_response_after: 2_000_000 }]);
  assert.ok((await storage.read('a.bin', 100, 2_900_000)).equals(CONTENT.subarray(100, 2_900_100)));
  assert.equal(asked.length, 2);
});

test('a read survives repeated failures as long as it makes progress', async () => {
  reads(Array.from({ length: 20 }, () => ({ cut_response_after: 100_000 })));
  assert.ok((await collect(storage.stream('a.bin'))).equals(CONTENT));
});

test('a read without progress fails', async () => {
  const asked = reads(Array.from({ length: 50 }, () => ({ cut_response_after: 0 })));
  await refuses('STORAGE_UNREACHABLE', collect(storage.stream('a.bin')));
  assert.equal(asked.length, QUICK_RETRIES.attempts);
});

test('two versions of an object are never mixed', async () => {
  await storage.put('b.bin', pieces(CONTENT, 100_000));
  const asked = reads([{ cut_response_after: 1_000_000 }]);
  const stream = storage.stream('b.bin')[Symbol.asyncIterator]();
  await stream.next();
  const entry = lab.server.buckets.get(BUCKET)?.objects.get('b.bin');
  assert.ok(entry);
  entry.etag = 'another';
  await refuses('STORAGE_FAILED', collect({ [Symbol.asyncIterator]: () => stream }));
  assert.equal(asked.length, 2);
});

test('a cancel ends a stalled read', async () => {
  reads([{ stall_response_after: 1000 }]);
  const controller = new AbortController();
  const stream = storage.stream('a.bin', { signal: controller.signal })[Symbol.asyncIterator]();
  await stream.next();
  const next = stream.next();
  controller.abort(cancelled());
  await refuses('CANCELLED', next);
});

/** Bytes of the heap in use: without a collection, garbage would count. */
function usedAfterCollection(): number {
  v8.setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

test('100,000 objects are listed page by page, in limited memory', async () => {
  const bucket = lab.server.buckets.get(BUCKET);
  const entry = bucket?.objects.get('a.bin');
  assert.ok(bucket && entry);
  for (let i = 0; i < 100_000; i++) {
    const key = `many/${String(i).padStart(6, '0')}`;
    bucket.objects.set(key, { ...entry, key, segments: [] });
  }
  bucket.version++;
  let pages = 0;
  lab.server.fault = () => void pages++;
  let count = 0;
  let last = '';
  const before = usedAfterCollection();
  let most = 0;
  for await (const { name } of storage.list('many/')) {
    assert.ok(name > last);
    last = name;
    if (++count % 10_000 === 0) most = Math.max(most, usedAfterCollection() - before);
  }
  assert.equal(count, 100_000);
  assert.equal(pages, 100);
  assert.ok(most < 40 << 20, `${most >> 20} MiB`);
  let [first] = [0];
  pages = 0;
  for await (const _ of storage.list('many/')) if (++first === 10) break;
  assert.equal(pages, 1);
});
