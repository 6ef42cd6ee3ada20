import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { JsonOut, Literal } from '../../../../src/core/adapters/native/json-out.ts';
import { writeTicks } from '../../../../src/core/adapters/native/times.ts';

/** The bytes that must be escaped, and what they become. */
const ESCAPED = new Map(
  [...'\b\t\n\f\r"\\'].map((char) => [char.charCodeAt(0), JSON.stringify(char).slice(1, -1)]),
);

function plainly(text: Buffer): string {
  let out = '';
  for (const byte of text)
    out +=
      ESCAPED.get(byte) ??
      (byte < 0x20 ? `\\u00${byte.toString(16).toUpperCase().padStart(2, '0')}` : String.fromCharCode(byte));
  return `"${out}"`;
}

test('a string of any bytes, wherever it lies, is escaped byte by byte', () => {
  // Without 0xe2, which begins a line separator: those are compared with ClickHouse's own text.
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
      const out = new JsonOut();
      out.raw(new Literal('x'.repeat(ahead)));
      out.string(source, ahead, ahead + bytes.length);
      assert.equal(out.view().toString('latin1'), 'x'.repeat(ahead) + plainly(Buffer.from(bytes)));
    }),
    { numRuns: 2000 },
  );
});

test('ticks of every scale are times to the last digit', () => {
  const ticks = fc.bigInt({ min: 0n, max: (1n << 52n) + 5n });
  fc.assert(
    fc.property(ticks, fc.integer({ min: 0, max: 9 }), fc.boolean(), (count, scale, whole) => {
      const second = 10n ** BigInt(scale);
      // One tick below a whole second is where rounding would show.
      const value = whole && count >= second ? (count / second) * second - 1n : count;
      if (value / second >= BigInt(Date.UTC(2300, 0, 1) / 1000)) return;
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(value);
      const out = new JsonOut();
      writeTicks(out, bytes, 0, scale);
      const text = new Date(Number(value / second) * 1000).toISOString().slice(0, 19);
      const fraction = scale > 0 ? `.${String(value % second).padStart(scale, '0')}` : '';
      assert.equal(out.view().toString('latin1'), `"${text}${fraction}Z"`);
    }),
    { numRuns: 5000 },
  );
});
