import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { searchBlocks } from '../../../../src/core/features/search/match-thread.ts';
import { LineMatcher } from '../../../../src/core/features/search/matcher.ts';
import { archiveLine } from '../../../helpers/sealed.ts';

/** Never ends on a line of many words. */
const ENDLESS = { regex: String.raw`(\S+\s?)+ZZ$` };
const LINE = archiveLine(0, 'one two three four five six seven eight nine ten eleven twelve ZZ thirteen');

function blockOf(texts: readonly string[]): Buffer {
  return Buffer.concat(texts.map((text, row) => archiveLine(row, text)));
}

test('a thread finds the same lines as the matcher, block after block, up to the limit', async () => {
  const pattern = { regex: 'a+b|[0-9]{2}', flags: 'i' };
  const search = searchBlocks(pattern);
  const matcher = new LineMatcher(pattern);
  const texts = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'B', '1', ' ', 'é'), maxLength: 6 }));
  try {
    await fc.assert(
      fc.asyncProperty(texts, fc.integer({ min: 1, max: 3 }), async (lines, limit) => {
        const block = blockOf(lines);
        const expected = matcher.find(block).toArray();
        assert.deepEqual(await search.find(block), expected);
        assert.deepEqual(await search.find(block, { limit }), expected.slice(0, limit));
      }),
      { numRuns: 50 },
    );
  } finally {
    search.close();
  }
});

test('an endless regular expression ends with TIMED_OUT, and everything else goes on meanwhile', async () => {
  const search = searchBlocks(ENDLESS, {}, 1);
  let ticks = 0;
  const ticking = setInterval(() => ticks++, 10);
  await assert.rejects(search.find(LINE), { code: 'TIMED_OUT' });
  clearInterval(ticking);
  assert.ok(ticks > 20, `${ticks} ticks`);
  search.close();
});

test('an endless regular expression can be cancelled at once', async () => {
  const search = searchBlocks(ENDLESS);
  const controller = new AbortController();
  const found = search.find(LINE, { signal: controller.signal });
  const reason = new Error('stop');
  setTimeout(() => controller.abort(reason), 50);
  await assert.rejects(found, reason);
  assert.deepEqual(await searchBlocks({ text: 'twelve' }).find(LINE), [
    { start: 0, end: LINE.length - 1, text_from: 'raw' },
  ]);
});

test('an invalid regular expression is refused before anything is read', () => {
  assert.throws(() => searchBlocks({ regex: '((' }), { code: 'USAGE' });
});
