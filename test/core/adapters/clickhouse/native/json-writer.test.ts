import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { JsonWriter, Literal } from '../../../../../src/core/adapters/clickhouse/native/json-writer.ts';
import { writeTicks } from '../../../../../src/core/adapters/clickhouse/native/times.ts';

/** The bytes that must be escaped, and their escapes. */
const ESCAPED = new Map(
  [...'\b\t\n\f\r"\\'].map((char) => [char.charCodeAt(0), JSON.stringify(char).slice(1, -1)]),
);

function expectedJson(text: Buffer): string {
  let out = '';
  for (const byte of text)
    out +=
      ESCAPED.get(byte) ??
      (byte < 0x20 ? `\\u00${byte.toString(16).toUpperCase().padStart(2, '0')}` : String.fromCharCode(byte));
  return `"${out}"`;
}

test('a string of any bytes at any offset is escaped correctly', () => {
  // Without 0xe2, which starts line separators: those are tested against ClickHouse.
  const byte = fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 0x20, max: 0x7f }) },
    fc.constantFrom(0, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x5b, 0x5c, 0x5d, 0x7f, 0x80, 0xa2, 0xdc, 0xff),
  );
  const before = fc.integer({ min: 0, max: 9 });
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 90 }), before, before, (bytes, ahead, behind) => {
      const source = Buffer.concat([
        Buffer.alloc(ahead, '"'),
        Buffer.from(bytes),
        Buffer.alloc(behind, '\\'),
      ]);
      const out = new JsonWriter();
      out.raw(new Literal('x'.repeat(ahead)));
      out.string(source, ahead, ahead + bytes.length);
      assert.equal(out.view().toString('latin1'), 'x'.repeat(ahead) + expectedJson(Buffer.from(bytes)));
    }),
    { numRuns: 2000 },
  );
});

test('ticks of every scale are written exactly', () => {
  const ticks = fc.bigInt({ min: 0n, max: (1n << 52n) + 5n });
  fc.assert(
    fc.property(ticks, fc.integer({ min: 0, max: 9 }), fc.boolean(), (count, scale, before_second) => {
      const second = 10n ** BigInt(scale);
      // One tick before a full second is where rounding would show.
      const value = before_second && count >= second ? (count / second) * second - 1n : count;
      fc.pre(value / second < BigInt(Date.UTC(2300, 0, 1) / 1000));
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(value);
      const out = new JsonWriter();
      writeTicks(out, bytes, 0, scale);
      const text = new Date(Number(value / second) * 1000).toISOString().slice(0, 19);
      const fraction = scale > 0 ? `.${String(value % second).padStart(scale, '0')}` : '';
      assert.equal(out.view().toString('latin1'), `"${text}${fraction}Z"`);
    }),
    { numRuns: 5000 },
  );
});
