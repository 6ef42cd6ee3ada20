import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Decoded, Decoder } from '../../../../src/core/adapters/native/decoder.ts';
import { LineChecker } from '../../../../src/core/format/index.ts';
import { Dice } from '../../../fuzz/mutations.ts';
import { type NativeRow, nativeBlock, string, varint } from '../../../helpers/native-block.ts';

const MESSAGE =
  'Code: 241. DB::Exception: Query memory limit exceeded: would use 3.00 GiB. (MEMORY_LIMIT_EXCEEDED) (version 26.7.2.1 (official build))\n';
const TAG = 'abcdefghijklmnop';
const FRAME = `\r\n__exception__\r\n${TAG}\r\n${MESSAGE}${MESSAGE.length} ${TAG}\r\n__exception__\r\n`;

function rowsFrom(first: number, count: number): NativeRow[] {
  return Array.from({ length: count }, (_, index) => {
    const n = first + index;
    const fields = { host: `host-${n % 7}`, 'net.ip': `10.0.0.${n}`, ...(n % 3 === 0 && { note: '"x"\n' }) };
    return { ms: 1772366400000 + n * 11, raw: `line ${n} é`, id: `id-${n}`, fields };
  });
}

const BLOCKS = [nativeBlock(rowsFrom(0, 10)), nativeBlock(rowsFrom(10, 10)), nativeBlock(rowsFrom(20, 5))];
const ANSWER = Buffer.concat(BLOCKS);
const LINES = linesOf(decode(ANSWER));

interface Outcome {
  bytes: Buffer;
  lines: number;
  end: NonNullable<Decoded['end']>;
}

/** What comes of an answer that is read in pieces. */
function decode(answer: Buffer, pieceBytes = answer.length): Outcome {
  const decoder = new Decoder({ fractal_id: 'f', fields: true });
  const parts: Buffer[] = [];
  let lines = 0;
  const take = ({ blocks, end }: Decoded): Decoded['end'] => {
    for (const block of blocks) {
      parts.push(block.bytes);
      lines += block.lines;
    }
    return end;
  };
  let end: Decoded['end'];
  for (let at = 0; at < answer.length && !end; at += pieceBytes)
    end = take(decoder.add(answer.subarray(at, at + pieceBytes)));
  end ??= take(decoder.finish());
  assert.ok(end);
  return { bytes: Buffer.concat(parts), lines, end };
}

function linesOf({ bytes }: Outcome): string[] {
  return bytes.toString('latin1').split('\n').slice(0, -1);
}

function messageOf({ end }: Outcome): string {
  return typeof end === 'object' && 'not_data' in end ? end.not_data.toString() : '';
}

test('blocks that come in any pieces are the same lines', () => {
  assert.equal(LINES.length, 25);
  assert.equal(
    LINES[0],
    '{"ts":"2026-03-01T12:00:00.000Z","raw":"line 0 Ã©","id":"id-0","fid":"f","its":"2026-03-01T12:00:00.000Z","fields":{"host":"host-0","net":{"ip":"10.0.0.0"},"note":"\\"x\\"\\n"}}',
  );
  for (const pieceBytes of [1, 7, 100, 4096]) {
    const outcome = decode(ANSWER, pieceBytes);
    assert.equal(outcome.end, 'all');
    assert.deepEqual(linesOf(outcome), LINES);
  }
});

test('an answer cut anywhere but between blocks is no whole one, and no line of it is false', () => {
  const borders = new Set([0, BLOCKS[0]?.length, (BLOCKS[0]?.length ?? 0) + (BLOCKS[1]?.length ?? 0)]);
  for (let cut = 0; cut < ANSWER.length; cut++) {
    const outcome = decode(ANSWER.subarray(0, cut));
    assert.equal(outcome.end === 'all', borders.has(cut), `cut at ${cut}`);
    const lines = linesOf(outcome);
    assert.deepEqual(lines, LINES.slice(0, lines.length));
  }
});

for (const [style, words] of Object.entries({ text: MESSAGE, frame: FRAME })) {
  test(`a failure told as ${style} anywhere in the answer never becomes a row, and is heard`, () => {
    for (let at = 0; at <= ANSWER.length; at++) {
      const outcome = decode(Buffer.concat([ANSWER.subarray(0, at), Buffer.from(words)]), 1000);
      const lines = linesOf(outcome);
      assert.deepEqual(lines, LINES.slice(0, lines.length), `at ${at}`);
      assert.notEqual(outcome.end, 'all', `at ${at}`);
      // Inside a block it may be taken for a type: then all is asked for anew, as text, which fails in its own words.
      if (typeof outcome.end === 'object' && 'stop' in outcome.end) continue;
      assert.ok(messageOf(outcome).includes(MESSAGE), `at ${at}`);
    }
  });
}

test('what claims to be very large costs nothing', () => {
  const huge = varint(2 ** 29);
  const claims = [
    Buffer.concat([varint(5), huge, string('ts')]),
    Buffer.concat([varint(5), varint(2 ** 40)]),
    Buffer.concat([varint(5), varint(1), huge]),
    Buffer.concat([ANSWER, varint(5), huge, string('ts'), string('DateTime64(3)'), Buffer.alloc(1000)]),
    Buffer.alloc(100_000, 0xff),
    Buffer.alloc(100_000),
  ];
  for (const claim of claims) {
    const before = process.memoryUsage().arrayBuffers;
    const began = performance.now();
    const outcome = decode(claim, 4096);
    assert.notEqual(outcome.end, 'all');
    assert.ok(performance.now() - began < 2000);
    assert.ok(process.memoryUsage().arrayBuffers - before < 64 << 20);
  }
});

/** `NATIVE_FUZZ=200000` damages so many answers instead of a few, `NATIVE_SEED` others. */
test('a damaged answer gives whole lines or none, ends, and is never read without an end', () => {
  const count = Number(process.env.NATIVE_FUZZ ?? 2000);
  const seed = Number(process.env.NATIVE_SEED ?? 1);
  for (let round = 0; round < count; round++) {
    const dice = new Dice(seed * 1_000_003 + round);
    const outcome = decode(damage(dice), dice.pick([1 << 20, 1000, 97]));
    const checker = new LineChecker();
    checker.add(outcome.bytes);
    assert.equal(checker.totals.malformed, 0, `seed ${seed}, round ${round}: ${checker.totals.examples[0]}`);
    assert.equal(checker.totals.rows, outcome.lines, `seed ${seed}, round ${round}`);
  }
});

function damage(dice: Dice): Buffer {
  const bytes = Buffer.from(ANSWER);
  const at = dice.below(bytes.length);
  const length = 1 + dice.below(40);
  const kinds = [
    () => bytes.fill(dice.below(256), at, at + 1),
    () => bytes.fill(0xff, at, Math.min(at + length, bytes.length)),
    () => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]),
    () => Buffer.concat([bytes.subarray(0, at), dice.bytes(length), bytes.subarray(at)]),
    () => Buffer.concat([bytes.subarray(0, at), dice.bytes(length), bytes.subarray(at + length)]),
    () => Buffer.concat([bytes.subarray(0, at), bytes.subarray(dice.below(bytes.length))]),
    () => Buffer.concat([bytes.subarray(0, at), varint(dice.below(2 ** 31)), bytes.subarray(at + 1)]),
  ];
  return dice.pick(kinds)();
}
