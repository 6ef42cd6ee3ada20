import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { BifractError } from '../../../../src/core/contract/errors.ts';
import { openArchive } from '../../../../src/core/features/search/browse.ts';
import type { ArchiveBrowser } from '../../../../src/core/features/search/contract.ts';
import { BlockCache, RowBlock } from '../../../../src/core/features/search/row-block.ts';
import { parseKey } from '../../../../src/core/format/index.ts';
import { archiveLine, framedArchive, KEY } from '../../../helpers/sealed.ts';
import { collect } from '../../../helpers/streams.ts';
import { sealedArchive, serverArchive, storedTarget } from '../../../helpers/targets.ts';

const rows = Array.from({ length: 300 }, (_, index) =>
  archiveLine(index * 10, `row ${index} ${index % 100 === 42 ? 'HIT' : ''}`),
);
const frames = Array.from({ length: 30 }, (_, frame) => rows.slice(frame * 10, frame * 10 + 10));
const timeOf = (index: number) => new Date(Date.UTC(2026, 2, 1) + index * 10).toISOString();

const kinds: [string, () => Promise<Buffer>][] = [
  ['by its index', () => collect(framedArchive(frames).bytes)],
  ['sequentially', async () => serverArchive(rows)],
];

for (const [how, make] of kinds) {
  suite(`an archive read ${how}`, () => {
    const open = async () => openArchive(await storedTarget(await make()), [KEY]);

    test('any range of rows is returned as written', async () => {
      const browser = await open();
      for (const [from, count] of [
        [0, 5],
        [295, 20],
        [8, 4],
        [100, 55],
        [37, 1],
        [3, 0],
        [299, 1],
        [0, 300],
      ] as const) {
        const read = await browser.read(from, count);
        assert.deepEqual(
          read.map(({ index }) => index),
          Array.from({ length: Math.min(count, 300 - from) }, (_, at) => from + at),
        );
        for (const { index, ts, raw, id } of read) {
          assert.deepEqual([ts, id], [timeOf(index), `id${index * 10}`]);
          assert.ok(raw.startsWith(`row ${index} `));
        }
      }
      assert.deepEqual(await browser.read(300, 5), []);
      assert.deepEqual([browser.rows, browser.complete], [300, true]);
      await browser.close();
    });

    test('a pass over all matches finds what a search row by row finds', async () => {
      const browser = await open();
      for (const pattern of [{ text: 'HIT' }, { regex: 'row [0-9]*7 ' }]) {
        const found: number[] = [];
        let searched = 0;
        for await (const part of browser.matches(pattern)) {
          for (const { row, line } of part.matches) {
            assert.ok(row >= searched && row < part.searched);
            assert.deepEqual(line, rows[row]?.subarray(0, -1));
            found.push(row);
          }
          searched = part.searched;
        }
        assert.equal(searched, 300);
        const stepped: number[] = [];
        for (let at: number | null = 0; ; at++) {
          at = await browser.find(pattern, at, 'next');
          if (at === null) break;
          stepped.push(at);
        }
        assert.deepEqual(found, stepped);
        assert.ok(found.length >= 3);
      }
      await browser.close();
    });

    test('a time is resolved to the first row at or after it', async () => {
      const browser = await open();
      assert.equal(await browser.at(timeOf(123)), 123);
      assert.equal(await browser.at('2026-03-01T00:00:01.2301Z'), 124);
      assert.equal(await browser.at('2020-01-01T00:00:00Z'), 0);
      assert.equal(await browser.at('2030-01-01T00:00:00Z'), 300);
      assert.equal(await browser.at(timeOf(100)), 100);
    });

    test('the nearest match is found forwards and backwards, including the start row', async () => {
      const browser = await open();
      const hit = { text: 'hit' };
      const cases: [number, 'next' | 'previous', number | null][] = [
        [0, 'next', 42],
        [42, 'next', 42],
        [43, 'next', 142],
        [243, 'next', null],
        [299, 'previous', 242],
        [242, 'previous', 242],
        [241, 'previous', 142],
        [41, 'previous', null],
        [1000, 'previous', 242],
        [1000, 'next', null],
        [-1, 'previous', null],
      ];
      for (const [from, direction, row] of cases) {
        assert.equal(await browser.find(hit, from, direction), row, `${direction} of ${from}`);
      }
      assert.equal(await browser.find({ regex: 'row 2\\d\\d H' }, 0, 'next'), 242);
    });

    test('a cancelled call rejects with the reason, and the next one works', async () => {
      const browser = await open();
      const reason = new BifractError('CANCELLED', 'enough');
      const signal = AbortSignal.abort(reason);
      await assert.rejects(browser.read(0, 5, { signal }), reason);
      await assert.rejects(browser.find({ text: 'nowhere' }, 0, 'next', { signal }), reason);
      assert.equal((await browser.read(7, 2)).length, 2);
    });

    test('an archive without rows is empty', async () => {
      const bytes = how === 'by its index' ? await sealedArchive([]) : serverArchive([]);
      const browser: ArchiveBrowser = await openArchive(await storedTarget(bytes), [KEY]);
      assert.deepEqual(await browser.read(0, 10), []);
      assert.deepEqual(
        [await browser.at(timeOf(0)), await browser.find({ text: 'x' }, 0, 'next')],
        [0, null],
      );
      assert.equal(await browser.find({ text: 'x' }, 5, 'previous'), null);
      assert.deepEqual([browser.rows, browser.complete], [0, true]);
    });
  });
}

test('rows beyond the cache are read again from the beginning', async () => {
  const long = Array.from({ length: 90 }, (_, index) =>
    archiveLine(index, `row ${index} ${'x'.repeat(1_000_000)}`),
  );
  const browser = await openArchive(await storedTarget(serverArchive(long)), [KEY]);
  assert.equal((await browser.read(89, 1))[0]?.index, 89);
  assert.ok((await browser.read(0, 1))[0]?.raw.startsWith('row 0 '));
  assert.ok((await browser.read(85, 1))[0]?.raw.startsWith('row 85 '));
  // Some of these are the last cached ones, some the first that are not.
  for (const row of [3, 19, 20, 21, 22, 23, 24, 25, 26]) {
    await browser.read(89, 1);
    assert.equal(await browser.find({ text: `row ${row} ` }, 89, 'previous'), row);
  }
});

test('an archive without index counts only the rows read so far', async () => {
  const long = Array.from({ length: 10 }, (_, index) => archiveLine(index, 'x'.repeat(1_000_000)));
  const browser = await openArchive(await storedTarget(serverArchive(long)), [KEY]);
  assert.deepEqual([browser.rows, browser.complete], [0, false]);
  await browser.read(0, 1);
  assert.ok(browser.rows < 10);
  assert.equal(browser.complete, false);
});

test('a row of 20 MB is truncated', async () => {
  const big = archiveLine(1, `big ${'y'.repeat(20_000_000)}`);
  for (const bytes of [
    await sealedArchive([archiveLine(0), big, archiveLine(2)]),
    serverArchive([archiveLine(0), big, archiveLine(2)]),
  ]) {
    const browser = await openArchive(await storedTarget(bytes), [KEY]);
    const [, row, last] = await browser.read(0, 3);
    assert.equal(row?.raw_bytes, 20_000_004);
    assert.equal(row?.raw.length, 1024 * 1024);
    assert.equal(last?.raw, 'row 2');
  }
});

test('an invalid line is shown as is', async () => {
  const browser = await openArchive(
    await storedTarget(await sealedArchive([Buffer.from('oops\n'), archiveLine(1)])),
    [KEY],
  );
  const [oops] = await browser.read(0, 1);
  assert.deepEqual([oops?.raw, oops?.ts], ['oops', null]);
});

test('a wrong key is rejected', async () => {
  const bytes = await sealedArchive([archiveLine(0)]);
  await assert.rejects(openArchive(await storedTarget(bytes), [parseKey('00'.repeat(32))]), {
    code: 'WRONG_KEY',
  });
});

test('the cache keeps the most recently used blocks up to its size, and always the newest', () => {
  const block = (bytes: number) => new RowBlock(0, Buffer.alloc(bytes, '\n'));
  const cache = new BlockCache(100);
  for (const number of [1, 2, 3]) cache.set(number, block(40));
  assert.deepEqual(
    [1, 2, 3].map((number) => cache.get(number) !== undefined),
    [false, true, true],
  );
  cache.get(2);
  cache.set(4, block(40));
  assert.deepEqual(
    [2, 3, 4].map((number) => cache.get(number) !== undefined),
    [true, false, true],
  );
  cache.set(5, block(500));
  assert.deepEqual(
    [2, 4, 5].map((number) => cache.get(number) !== undefined),
    [false, false, true],
  );
});
