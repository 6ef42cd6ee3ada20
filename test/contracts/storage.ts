import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BifractError, cancelled, type ErrorCode } from '../../src/core/contract/errors.ts';
import type { Storage, StoredObject, UnfinishedObject } from '../../src/core/ports/storage.ts';
import { LIMIT_MS, until } from '../helpers/until.ts';

/** A storage under test, and how to open it in another process. */
export interface StorageUnderTest {
  storage: Storage;
  close(): Promise<void>;
  /**
   * For storages that outlive a process: the folder, or the S3 settings as JSON, and the number of bytes after which a
   * killed writer leaves an unfinished object.
   */
  reopen?: { location: string; bytes: number };
}

const WRITER = fileURLToPath(new URL('./storage-writer.ts', import.meta.url));

/** What every storage adapter must do. */
export function storageContract(title: string, make: () => Promise<StorageUnderTest>): void {
  describe(title, () => {
    let under: StorageUnderTest;
    let storage: Storage;
    before(async () => {
      under = await make();
      storage = under.storage;
    });
    after(() => under.close());

    for (const size of [0, 1, 65_535, 1_048_576, 1_048_577, 9_000_001]) {
      test(`stores ${size} bytes and reads them back`, async () => {
        const bytes = pattern(size);
        const name = `sizes/${size}.bin`;
        const object = await storage.put(name, pieces(bytes, 40_000));
        assert.deepEqual([object.name, object.size_bytes], [name, size]);
        assert.ok(Math.abs(Date.now() - Date.parse(object.modified_at)) < 600_000);
        assert.deepEqual(await storage.stat(name), object);
        assert.ok(bytes.equals(await collect(storage.stream(name))));
        assert.ok(bytes.equals(await storage.read(name, 0, size)));
      });
    }

    test('reads any range, fewer bytes only at the end of the object', async () => {
      const bytes = pattern(100_000);
      await storage.put('ranges.bin', pieces(bytes, 33_333));
      const ranges = [
        [0, 1],
        [99_999, 1],
        [1000, 70_000],
        [99_990, 500],
        [100_000, 5],
        [200_000, 5],
        [50, 0],
      ] as const;
      for (const [offset, length] of ranges) {
        const part = await storage.read('ranges.bin', offset, length);
        assert.ok(part.equals(bytes.subarray(offset, offset + length)), `${offset}+${length}`);
      }
      assert.ok(
        (await collect(storage.stream('ranges.bin', { offset: 77_777 }))).equals(bytes.subarray(77_777)),
      );
      assert.equal((await collect(storage.stream('ranges.bin', { offset: 100_000 }))).length, 0);
    });

    test('the caller may reuse a buffer after yielding it', async () => {
      async function* reusing() {
        const buffer = Buffer.alloc(1000);
        for (let i = 0; i < 3; i++) yield buffer.fill(i);
        buffer.fill(9);
      }
      await storage.put('reused.bin', reusing());
      const expected = Buffer.concat([0, 1, 2].map((i) => Buffer.alloc(1000, i)));
      assert.ok((await storage.read('reused.bin', 0, 5000)).equals(expected));
    });

    test('never replaces an object', async () => {
      await storage.put('taken.bin', pieces(Buffer.from('first'), 10));
      await refuses('EXISTS', storage.put('taken.bin', pieces(Buffer.from('second'), 10)));
      assert.equal(String(await storage.read('taken.bin', 0, 10)), 'first');
    });

    test('of two writers of the same name one wins with a complete object', async () => {
      const sizes = [300_000, 300_001];
      const outcomes = await Promise.allSettled(
        sizes.map((size) => storage.put('race.bin', pieces(Buffer.alloc(size, size % 256), 7000))),
      );
      const won = outcomes.findIndex(({ status }) => status === 'fulfilled');
      const lost = outcomes.find((outcome) => outcome.status === 'rejected');
      assert.equal(lost?.reason.code, 'EXISTS');
      const size = sizes[won] ?? -1;
      assert.ok((await collect(storage.stream('race.bin'))).equals(Buffer.alloc(size, size % 256)));
    });

    test('stores nothing when the content fails, and passes on its error', async () => {
      const failure = new BifractError('DUMP_FAILED', 'the dump broke');
      async function* failing() {
        yield pattern(2_000_000);
        throw failure;
      }
      await assert.rejects(storage.put('failed.bin', failing()), (error) => error === failure);
      await holdsNothingOf(storage, 'failed.bin');
    });

    test('stores nothing when cancelled, even while the content hangs, and closes the content', async () => {
      const controller = new AbortController();
      const reason = cancelled();
      let ended = false;
      const released = Promise.withResolvers<void>();
      async function* hanging() {
        try {
          yield pattern(2_000_000);
          setImmediate(() => controller.abort(reason));
          await released.promise;
          yield pattern(1);
        } finally {
          ended = true;
        }
      }
      const put = storage.put('cancelled.bin', hanging(), { signal: controller.signal });
      await assert.rejects(put, (error) => error === reason);
      await holdsNothingOf(storage, 'cancelled.bin');
      released.resolve();
      await until(() => ended, LIMIT_MS, 'the content is closed');
    });

    test('every call fails if its signal has already aborted', async () => {
      const signal = AbortSignal.abort(cancelled());
      await storage.put('signal.bin', pieces(Buffer.from('x'), 1));
      const unfinished = { id: 'x', name: 'x', job: undefined, size_bytes: 0, started_at: '' };
      const calls: (() => Promise<unknown>)[] = [
        () => storage.put('aborted.bin', pieces(Buffer.from('x'), 1), { signal }),
        () => storage.stat('signal.bin', { signal }),
        () => storage.read('signal.bin', 0, 1, { signal }),
        () => collect(storage.stream('signal.bin', { signal })),
        () => all(storage.list('', { signal })),
        () => storage.delete('signal.bin', { signal }),
        () => storage.discardUnfinished(unfinished, { signal }),
        () => storage.probe({ signal }),
      ];
      for (const call of calls) await refuses('CANCELLED', call());
      await holdsNothingOf(storage, 'aborted.bin');
      assert.ok(await storage.stat('signal.bin'));
    });

    test('an unfinished object is not listed', async () => {
      let during: StoredObject[] | undefined;
      async function* looking() {
        yield pattern(3_000_000);
        during = await all(storage.list('making/'));
        assert.equal(await storage.stat('making/a.bin'), undefined);
        await refuses('NOT_FOUND', storage.read('making/a.bin', 0, 1));
        const unfinished = await unfinishedOf(storage, 'making/a.bin');
        assert.ok(unfinished.every(({ job }) => job === 'job-1'));
        // So little content is not sent to S3 before its end.
        assert.equal(unfinished.length, storage.kind === 's3' ? 0 : 1);
        yield pattern(10);
      }
      await storage.put('making/a.bin', looking(), { job: 'job-1' });
      assert.deepEqual(during, []);
      assert.deepEqual(names(await all(storage.list('making/'))), ['making/a.bin']);
      assert.deepEqual(await unfinishedOf(storage, 'making/a.bin'), []);
    });

    test('lists by prefix at any depth, sorted by name', async () => {
      const made = [
        'list/b',
        'list/a/z',
        'list/a.b',
        'list/a/y/x',
        'list/a-b',
        'list/ä',
        'list/Z',
        'listing',
      ];
      for (const name of made) await storage.put(name, pieces(Buffer.from(name), 100));
      const sorted = made.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      for (const prefix of ['list', 'list/', 'list/a', 'list/a/', 'list/a/y', 'list/none', 'l']) {
        const expected = sorted.filter((name) => name.startsWith(prefix));
        assert.deepEqual(names(await all(storage.list(prefix))), expected, prefix);
      }
      const [first] = await all(storage.list('list/Z'));
      assert.deepEqual(first, await storage.stat('list/Z'));
    });

    test('delete returns whether the object existed', async () => {
      await storage.put('gone.bin', pieces(Buffer.from('x'), 1));
      assert.equal(await storage.delete('gone.bin'), true);
      assert.equal(await storage.delete('gone.bin'), false);
      assert.equal(await storage.stat('gone.bin'), undefined);
    });

    test('reading a missing object fails with NOT_FOUND', async () => {
      await refuses('NOT_FOUND', storage.read('none.bin', 0, 1));
      await refuses('NOT_FOUND', collect(storage.stream('none.bin')));
      assert.equal(await storage.stat('none/at/all.bin'), undefined);
      assert.equal(await storage.delete('none.bin'), false);
    });

    test('refuses names that are hidden or lead out of the root', async () => {
      const bad = [
        '',
        '/',
        '/etc/passwd',
        '..',
        '../x',
        'a/../../x',
        'a/./b',
        'a//b',
        'a/',
        '.x',
        'a/.x',
        'a\\b',
        'a\0b',
        'a\nb',
        '\ud800',
      ];
      for (const name of bad) {
        await refuses('USAGE', storage.put(name, pieces(Buffer.from('x'), 1)));
        await refuses('USAGE', storage.stat(name));
        await refuses('USAGE', storage.read(name, 0, 1));
        await refuses('USAGE', collect(storage.stream(name)));
        await refuses('USAGE', storage.delete(name));
      }
    });

    test('a probe succeeds and leaves nothing behind', async () => {
      const health = await storage.probe();
      assert.equal(health.ok, true, health.detail);
      assert.deepEqual(await all(storage.list('bifract-probe-')), []);
    });

    test('a killed writer leaves only an unfinished object, which can be discarded', async (t) => {
      if (!under.reopen) return t.diagnostic('does not outlive its process');
      const { location, bytes } = under.reopen;
      await writeUntilKilled([storage.kind, location, 'killed/a.bin', String(bytes)]);
      assert.deepEqual(await all(storage.list('killed/')), []);
      const found = await unfinishedOf(storage, 'killed/a.bin');
      assert.deepEqual(
        found.map(({ name, job }) => [name, job]),
        [['killed/a.bin', 'killed-job']],
      );
      for (const unfinished of found) {
        assert.ok(unfinished.size_bytes > 0);
        assert.ok(Math.abs(Date.now() - Date.parse(unfinished.started_at)) < 600_000);
        await storage.discardUnfinished(unfinished);
        await storage.discardUnfinished(unfinished);
      }
      assert.deepEqual(await unfinishedOf(storage, 'killed/a.bin'), []);
      await storage.put('killed/a.bin', pieces(Buffer.from('again'), 10));
    });
  });
}

/** Bytes without short repetitions. */
export function pattern(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + (i >> 16)) & 0xff;
  return bytes;
}

export async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

export async function collect(source: AsyncIterable<Buffer>): Promise<Buffer> {
  return Buffer.concat(await all(source));
}

export async function refuses(code: ErrorCode, call: Promise<unknown>): Promise<void> {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof BifractError, String(error));
    assert.equal(error.code, code, error.message);
    return true;
  });
}

function names(objects: StoredObject[]): string[] {
  return objects.map(({ name }) => name);
}

async function unfinishedOf(storage: Storage, name: string): Promise<UnfinishedObject[]> {
  return (await all(storage.listUnfinished())).filter((unfinished) => unfinished.name === name);
}

async function holdsNothingOf(storage: Storage, name: string): Promise<void> {
  assert.equal(await storage.stat(name), undefined);
  assert.deepEqual(await all(storage.list(name)), []);
  assert.deepEqual(await unfinishedOf(storage, name), []);
}

async function writeUntilKilled(args: string[]): Promise<void> {
  const child = spawn(process.execPath, ['--import', 'tsx', WRITER, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), exit]);
  child.kill('SIGKILL');
  const [, signal] = await exit;
  assert.deepEqual([line, signal], ['written', 'SIGKILL']);
}
