import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Decoded, Decoder } from '../../../../../src/core/adapters/clickhouse/native/decoder.ts';
import { LineChecker } from '../../../../../src/core/format/index.ts';
import { Dice } from '../../../../fuzz/mutations.ts';
import { type NativeRow, nativeBlock, string, varint } from '../../../../helpers/native-block.ts';

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
const RESPONSE = Buffer.concat(BLOCKS);
const LINES = linesOf(decode(RESPONSE));

interface Outcome {
  bytes: Buffer;
  lines: number;
  end: NonNullable<Decoded['end']>;
}

/** Decodes a response that arrives in pieces. */
function decode(response: Buffer, pieceBytes = response.length): Outcome {
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
  for (let at = 0; at < response.length && !end; at += pieceBytes)
    end = take(decoder.add(response.subarray(at, at + pieceBytes)));
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

test('blocks in pieces of any size give the same lines', () => {
  assert.equal(LINES.length, 25);
  assert.equal(
    LINES[0],
    '{"ts":"2026-03-01T12:00:00.000Z","raw":"line 0 Ã©","id":"id-0","fid":"f","its":"2026-03-01T12:00:00.000Z","fields":{"host":"host-0","net":{"ip":"10.0.0.0"},"note":"\\"x\\"\\n"}}',
  );
  for (const pieceBytes of [1, 7, 100, 4096]) {
    const outcome = decode(RESPONSE, pieceBytes);
    assert.equal(outcome.end, 'complete');
    assert.deepEqual(linesOf(outcome), LINES);
  }
});

test('a response truncated within a block is not complete, and its lines are correct', () => {
  const boundaries = new Set([0, BLOCKS[0]?.length, (BLOCKS[0]?.length ?? 0) + (BLOCKS[1]?.length ?? 0)]);
  for (let cut = 0; cut < RESPONSE.length; cut++) {
    const outcome = decode(RESPONSE.subarray(0, cut));
    assert.equal(outcome.end === 'complete', boundaries.has(cut), `cut at ${cut}`);
    const lines = linesOf(outcome);
    assert.deepEqual(lines, LINES.slice(0, lines.length));
  }
});

for (const [style, text] of Object.entries({ text: MESSAGE, frame: FRAME })) {
  test(`an error written as ${style} anywhere in the response never becomes a row and is reported`, () => {
    let reported = 0;
    for (let at = 0; at <= RESPONSE.length; at++) {
      const outcome = decode(Buffer.concat([RESPONSE.subarray(0, at), Buffer.from(text)]), 1000);
      const lines = linesOf(outcome);
      assert.deepEqual(lines, LINES.slice(0, lines.length), `at ${at}`);
      assert.notEqual(outcome.end, 'all', `at ${at}`);
      // Within a block it may be taken for a type name: then the rows are requested as text, and that query fails.
      if (typeof outcome.end === 'object' && 'stop' in outcome.end) continue;
      assert.ok(messageOf(outcome).includes(MESSAGE), `at ${at}`);
      reported++;
    }
    assert.ok(reported > 0);
  });
}

test('huge declared sizes cost neither time nor memory', () => {
  const huge = varint(2 ** 29);
  const claims = [
    Buffer.concat([varint(5), huge, string('ts')]),
    Buffer.concat([varint(5), varint(2 ** 40)]),
    Buffer.concat([varint(5), varint(1), huge]),
    Buffer.concat([RESPONSE, varint(5), huge, string('ts'), string('DateTime64(3)'), Buffer.alloc(1000)]),
    Buffer.alloc(100_000, 0xff),
    Buffer.alloc(100_000),
  ];
  for (const claim of claims) {
    const before = process.memoryUsage().arrayBuffers;
    const started = performance.now();
    const outcome = decode(claim, 4096);
    assert.notEqual(outcome.end, 'complete');
    assert.ok(performance.now() - started < 2000);
    assert.ok(process.memoryUsage().arrayBuffers - before < 64 << 20);
  }
});

/** `NATIVE_FUZZ` sets the number of damaged responses, `NATIVE_SEED` the random seed. */
test('a damaged response gives valid lines or none, and always ends', () => {
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
  const bytes = Buffer.from(RESPONSE);
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
