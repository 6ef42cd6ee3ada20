import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ResumePoint, rowKeyOf } from '../../../../src/core/format/content/resume-point.ts';
import type { LineBlock } from '../../../../src/core/ports/log-database.ts';

interface Row {
  at: number;
  id: string;
  its: number;
}

const lineOf = ({ at, id, its }: Row) =>
  Buffer.from(`${JSON.stringify({ ts: new Date(at).toISOString(), raw: 'x', id, its })}\n`);
const row = fc.record({
  at: fc.integer({ min: -2, max: 2 }),
  id: fc.constantFrom('a', 'b', 'é'),
  its: fc.integer({ min: 0, max: 1 }),
});

function byKey(one: Row, other: Row): number {
  return one.at - other.at || Buffer.compare(Buffer.from(one.id), Buffer.from(other.id));
}

async function* blocksOf(rows: Row[], size: number): AsyncGenerator<LineBlock> {
  for (let at = 0; at < rows.length; at += size) {
    const part = rows.slice(at, at + size);
    yield { bytes: Buffer.concat(part.map(lineOf)), lines: part.length };
  }
}

/** As another query returns them: rows with equal keys in another order. */
function requery(rows: Row[], from: ResumePoint): Row[] {
  const key = from.key();
  const order = rows.toReversed().toSorted(byKey);
  return key ? order.filter((one) => !isBefore(rowKeyOf(lineOf(one).subarray(0, -1)), key)) : order;
}

function isBefore(one: { ms: string; id: string }, other: { ms: string; id: string }): boolean {
  return one.ms === other.ms ? one.id < other.id : Number(one.ms) < Number(other.ms);
}

test('yields every row once, however often the query breaks and in any order of equal rows', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { maxLength: 40 }),
      fc.integer({ min: 1, max: 7 }),
      fc.array(fc.nat(8), { maxLength: 6 }),
      async (unsorted, size, breaks) => {
        const rows = unsorted.toSorted(byKey);
        const tail = new ResumePoint();
        const got: string[] = [];
        for (const last of [...breaks, Number.POSITIVE_INFINITY]) {
          let left = last;
          for await (const { bytes, lines } of tail.unseen(blocksOf(requery(rows, tail), size))) {
            if (left-- === 0) break;
            const parts = bytes.toString().trimEnd().split('\n');
            assert.equal(parts.length, lines);
            tail.add(bytes);
            got.push(...parts);
          }
        }
        const wanted = rows.map((one) => lineOf(one).toString().trimEnd());
        assert.deepEqual(got.toSorted(), wanted.toSorted());
      },
    ),
    { numRuns: 300 },
  );
});

test('yields changed and added rows, and tolerates removed ones', async () => {
  const tail = new ResumePoint();
  tail.add(lineOf({ at: 1, id: 'a', its: 0 }));
  tail.add(lineOf({ at: 1, id: 'a', its: 1 }));
  const now = [
    { at: 1, id: 'a', its: 2 },
    { at: 1, id: 'a', its: 0 },
    { at: 1, id: 'a', its: 0 },
    { at: 2, id: 'a', its: 1 },
  ];
  const got = await Array.fromAsync(tail.unseen(blocksOf(now, 10)));
  assert.deepEqual(
    Buffer.concat(got.map(({ bytes }) => bytes)),
    Buffer.concat([now[0], now[2], now[3]].map((one) => lineOf(one as Row))),
  );
  assert.equal(got[0]?.lines, 3);
});

test('rejects rows out of order', () => {
  const tail = new ResumePoint();
  tail.add(lineOf({ at: 2, id: 'a', its: 0 }));
  assert.throws(() => tail.add(lineOf({ at: 1, id: 'b', its: 0 })), { code: 'QUERY_FAILED' });
});

test('row keys are exact to the byte, including escapes and invalid UTF-8', () => {
  const line = Buffer.concat([
    Buffer.from('{"ts":"1969-12-31T23:59:59.999Z","raw":"\\"id\\":\\"no\\"","id":"a\\u0001'),
    Buffer.from([0xff, 0xfe]),
    Buffer.from('\\n"}'),
  ]);
  assert.deepEqual(rowKeyOf(line), { ms: '-1', id: '6101fffe0a' });
  assert.throws(() => rowKeyOf(Buffer.from('{"ts":"soon","id":"a"}')), { code: 'INTERNAL' });
  assert.throws(() => rowKeyOf(Buffer.from('Code: 241')), { code: 'INTERNAL' });
});
