import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { test } from 'node:test';
import fc from 'fast-check';
import { repairLines, unescapeBytes } from '../../../../src/core/adapters/clickhouse/utf8-repair.ts';

const SHORT: Record<number, string> = {
  8: '\\b',
  9: '\\t',
  10: '\\n',
  12: '\\f',
  13: '\\r',
  34: '\\"',
  92: '\\\\',
};

/** A JSON string as ClickHouse writes it: only control characters, quotes and backslashes are escaped. */
function escapeBytes(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1').replace(/[\x00-\x1f"\\]/g, (letter) => {
    const byte = letter.charCodeAt(0);
    return SHORT[byte] ?? `\\u${byte.toString(16).toUpperCase().padStart(4, '0')}`;
  });
  return Buffer.from(text, 'latin1');
}

function lineOf(raw: Buffer, fields = '{}'): Buffer {
  return Buffer.concat([
    Buffer.from('{"ts":"2026-03-01T12:00:00.000Z","raw":"'),
    escapeBytes(raw),
    Buffer.from(`","id":"1","fid":"f","its":"2026-03-01T12:00:00.000Z","fields":${fields}}\n`),
  ]);
}

interface Line {
  raw: string;
  raw64?: string;
  id: string;
}

function bytesOf({ raw, raw64 }: Line): Buffer {
  return raw64 === undefined ? Buffer.from(raw) : Buffer.from(raw64, 'base64');
}

const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 60 }),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => bytes.map((byte) => byte & 0x7f)),
  fc.array(fc.constantFrom(0xe2, 0x80, 0xa8, 0x22, 0x5c, 0x0a, 0, 0xff, 0x75, 0xf0, 0x9f, 0x98), {
    maxLength: 30,
  }),
  fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
);

test('a repaired line of any bytes is valid UTF-8 and preserves them', () => {
  fc.assert(
    fc.property(fc.array(anyBytes, { minLength: 1, maxLength: 5 }), (logs) => {
      const block = repairLines(Buffer.concat(logs.map((log) => lineOf(Buffer.from(log)))));
      assert.ok(isUtf8(block));
      const lines = block
        .toString('utf8')
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Line);
      assert.deepEqual(
        lines.map(bytesOf),
        logs.map((log) => Buffer.from(log)),
      );
      for (const { raw, raw64, id } of lines) {
        assert.equal(id, '1');
        assert.equal(raw64 !== undefined, !isUtf8(bytesOf({ raw, raw64, id })));
        assert.equal(raw, bytesOf({ raw, raw64, id }).toString('utf8'));
      }
    }),
    { numRuns: 500 },
  );
});

test('a block of valid UTF-8 is returned unchanged', () => {
  const block = Buffer.concat([
    lineOf(Buffer.from('ünïcødé \u2028 \ufffd "x" \\ \0')),
    lineOf(Buffer.alloc(0)),
  ]);
  assert.equal(repairLines(block), block);
});

test('invalid bytes outside raw are kept', () => {
  const line = lineOf(Buffer.from('fine'), '{"k":"@"}');
  line[line.indexOf('@')] = 0xff;
  assert.deepEqual(repairLines(line), line);
});

test('every JSON escape is decoded', () => {
  const escaped = String.raw`\"\\\/\b\f\n\r\t\u0000\u00e9\u2028\ud83d\ude00`;
  const bytes = unescapeBytes(Buffer.from(escaped));
  assert.equal(bytes.toString('utf8'), '"\\/\b\f\n\r\t\0é\u2028😀');
});

test('a line of 20 MB is repaired', () => {
  const raw = Buffer.alloc(20_000_000, 'a\n"');
  raw[19_999_999] = 0xff;
  const line = JSON.parse(repairLines(lineOf(raw)).toString('utf8')) as Line;
  assert.ok(bytesOf(line).equals(raw));
});

test('a line of several chunks is repaired correctly', () => {
  // Three-byte characters, so that chunks end within characters; and invalid bytes.
  const log = Buffer.concat([
    Buffer.from('\ufeffé'),
    Buffer.from('€'.repeat(150_000)),
    Buffer.from([0xff, 0xe2, 0x82]),
    Buffer.from('€'.repeat(100_001)),
    Buffer.from([0xe2]),
  ]);
  const line = JSON.parse(repairLines(lineOf(log)).toString()) as Line;
  assert.equal(line.raw, log.toString('utf8'));
  assert.ok(bytesOf(line).equals(log));
});
