import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineEncoder, PADDING } from '../../../../../src/core/adapters/clickhouse/native/line-encoder.ts';
import { encodeLines } from '../../../../helpers/encode-lines.ts';

const SHAPE = {
  fields: { type: 'JSON', typed: ['user'], max_paths: 1024, nests: true },
  cols: [
    { name: 'normalizer', type: 'Nullable(String)', size: undefined },
    { name: 'n', type: 'Nullable(UInt64)', size: 8 },
  ],
};
const TIME = '2026-03-01T12:00:00.123Z';

function line({
  ts = TIME,
  raw = '"x"',
  id = '"1"',
  its = TIME,
  fields = '{"a":1}',
  cols = '',
} = {}): string {
  const more = cols === '' ? '' : `,"cols":${cols}`;
  return `{"ts":"${ts}","raw":${raw},"id":${id},"fid":"f","its":"${its}","fields":${fields}${more}}\n`;
}

/** Whether a line is encoded; if not, it must be returned as it was. */
function isEncoded(text: string | Buffer): boolean {
  const bytes = Buffer.from(text);
  const { blocks, texts } = encodeLines(bytes, SHAPE);
  if (texts.length === 0) return blocks.length === 1;
  assert.equal(blocks.length, 0);
  assert.ok(Buffer.concat(texts).equals(bytes));
  return false;
}

const withFields = (value: string) => line({ fields: `{"a":${value}}` });

test('what is known to be stored as it is, is encoded', () => {
  const values = [
    ...['1', '-0', '0.5', '1E+2', '18446744073709551615', '-9223372036854775808', '5e-324', '1e-400'],
    ...['"s"', '"\\ud83d\\ude00\\u0000\\/"', 'true', 'null', '{}', '{"":{"b.c":[]}}'],
    ...['[]', '[null]', '["a",null]', '[1,2.5,null]', '[true]', '[{"x":1},{}]'],
  ];
  for (const value of values) assert.ok(isEncoded(withFields(value)), value);
  for (const cols of ['{}', '{"normalizer":"x"}', '{"n":null,"normalizer":null}'])
    assert.ok(isEncoded(line({ cols })), cols);
  for (const ts of ['1970-01-01T00:00:00Z', '2024-02-29T23:59:59.9Z', '2261-12-31T00:00:00.12Z'])
    assert.ok(isEncoded(line({ ts })), ts);
  assert.ok(isEncoded(line().replace(/,"fields".*\}/, '}')));
  assert.ok(isEncoded(`{"ts":"${TIME}","id":"1","its":"${TIME}","raw64":"eA=="}\n`));
});

test('values whose storage depends on more than their text are sent as text', () => {
  const values = [
    ...['18446744073709551616', '-9223372036854775809', '1e400', '123456789012345678901234567890'],
    ...['[1,"a"]', '[[1]]', '[1,true]', '[{"x":1},null]', '[{"x":[1]}]', '[18446744073709551615]'],
    ...[
      '"\\ud800"',
      '"\\udc00\\ud800"',
      '{"b":1,"b":2}',
      '{"b":1,"\\u0062":2}',
      '{"b":{},"\\u0062":{}}',
      '{"b":{"c":1},"b.c":2}',
    ],
  ];
  for (const value of values) assert.ok(!isEncoded(withFields(value)), value);
  for (const fields of ['{"user":1}', '{"user":null}', '{"user":{"name":"x"}}', '{"user":["x"]}'])
    assert.ok(!isEncoded(line({ fields })), fields);
  for (const cols of ['{"n":1}', '{"other":"x"}', '{"normalizer":"\\n"}', '{"n":null,"n":null}'])
    assert.ok(!isEncoded(line({ cols })), cols);
});

test('what is not JSON as this program writes it is sent as text', () => {
  const values = ['01', '1.', '.5', '+1', '1e', '-', 'nul', 'tru', "'a'", '"a', '"\\x"', '"\\u12g4"', '"\t"'];
  const others = ['[1,]', '[,1]', '[1', '{"b"}', '{"b":1,}', '{b:1}', '{"b":1', ' 1', '', 'NaN', 'Infinity'];
  for (const value of [...values, ...others]) assert.ok(!isEncoded(withFields(value)), value);
  const times = [
    '2026-02-29T00:00:00Z',
    '1969-12-31T23:59:59Z',
    '2262-01-01T00:00:00Z',
    '2026-03-01 00:00:00Z',
  ];
  const more = [
    '2026-03-01T24:00:00Z',
    '2026-03-01T00:00:60Z',
    '2026-03-01T00:00:00.1234Z',
    '2026-13-01T00:00:00Z',
  ];
  for (const ts of [...times, ...more, '2026-03-01T00:00:00', '2026-03-01T00:00:00.Z', ''])
    assert.ok(!isEncoded(line({ ts })), ts);
  assert.ok(!isEncoded(line({ raw: '"\\ud800"' })));
  assert.ok(!isEncoded(line({ id: '"\\n"' })));
  assert.ok(!isEncoded(line().replace('"fid"', '"other"')));
  assert.ok(!isEncoded(line().replace('"fid":"f"', '"id":"1"')));
  assert.ok(!isEncoded(line().replace(/"raw":"x",/, '')));
  assert.ok(!isEncoded(Buffer.concat([Buffer.from('{"ts":"'), Buffer.of(0, 10)])));
});

test('bytes that are not UTF-8 are sent as text in fields, and encoded in the log line', () => {
  const [head, tail] = withFields('"?"').split('?') as [string, string];
  assert.ok(!isEncoded(Buffer.concat([Buffer.from(head), Buffer.of(0xff), Buffer.from(tail)])));
  const [before, after] = line({ fields: '{"?":1}' }).split('?') as [string, string];
  const badKey = Buffer.concat([Buffer.from(before), Buffer.of(0xc3), Buffer.from(after)]);
  // Also if the key has been seen before.
  assert.ok(!isEncoded(Buffer.concat([badKey, badKey])));
  const [start, end] = line({ raw: '"?"' }).split('?') as [string, string];
  assert.ok(isEncoded(Buffer.concat([Buffer.from(start), Buffer.of(0xff), Buffer.from(end)])));
});

test('a line over 1 MiB is sent as text, and the lines around it are encoded', () => {
  const lines = [line(), line({ raw: `"${'x'.repeat(1 << 20)}"` }), line()];
  const { blocks, texts } = encodeLines(Buffer.from(lines.join('')), SHAPE);
  assert.deepEqual(texts.map(String), [lines[1]]);
  assert.equal(blocks.length, 1);
  // Number of columns, then of rows.
  assert.deepEqual([...(blocks[0] as Buffer).subarray(0, 2)], [7, 2]);
});

test('a line with more paths than the table keeps in columns is sent as text', () => {
  const small = { ...SHAPE, fields: { ...SHAPE.fields, max_paths: 2 } };
  const lines = ['{"a":1,"b":2}', '{"b":1,"c":2}', '{"b":{"x":1}}', '{"b":null,"a":"s","user":"u"}', '{}'];
  const { texts } = encodeLines(Buffer.from(lines.map((fields) => line({ fields })).join('')), small);
  assert.deepEqual(
    texts.map(String),
    [lines[1], lines[2]].map((fields) => line({ fields })),
  );
});

test('a full block is ended for new paths', () => {
  const small = { ...SHAPE, fields: { ...SHAPE.fields, max_paths: 1 } };
  const lines = Array.from({ length: 5001 }, (_, n) => line({ fields: n < 5000 ? '{"a":1}' : '{"b":1}' }));
  const { blocks, texts } = encodeLines(Buffer.from(lines.join('')), small);
  assert.equal(texts.length, 0);
  assert.equal(blocks.length, 2);
});

test('keys that are forgotten with a full block do not mix with those of the next one', () => {
  const fill = Array.from({ length: 8100 }, (_, n) => line({ fields: `{"o${n}":{},"p${n % 1024}":1}` }));
  const next = ['{"p0":1,"new":2}', '{"p0":3,"new":"x"}'].map((fields) => line({ fields })).join('');
  const { blocks, texts } = encodeLines(Buffer.from(fill.join('') + next), SHAPE);
  assert.equal(texts.length, 0);
  assert.deepEqual(blocks.at(-1), encodeLines(Buffer.from(next), SHAPE).blocks[0]);
});

test('long values in ever other keys leave no memory behind', () => {
  const encoder = new LineEncoder(SHAPE);
  const value = 'x'.repeat(200_000);
  const before = process.memoryUsage().arrayBuffers;
  for (let n = 0; n < 400; n++) {
    const { blocks } = encodeLines(Buffer.from(line({ fields: `{"k${n}":"${value}"}` })), SHAPE, encoder);
    for (const { buffer } of blocks) buffer.transfer(0);
  }
  const left = process.memoryUsage().arrayBuffers - before;
  assert.ok(left < 400 * value.length, `${left} bytes`);
});

test('ever new keys end blocks, also those of lines that are sent as text', () => {
  const keys = (n: number) => Array.from({ length: 2000 }, (_, key) => `"k${n}.${key}":null`).join(',');
  for (const more of ['', ',"a":[[1]]', ',"b":[{"c":1}]']) {
    const encoder = new LineEncoder(SHAPE);
    const lines = Array.from({ length: 12 }, (_, n) =>
      line({ fields: `{"n":1${n > 0 ? `,${keys(n)}${more}` : ''}}` }),
    );
    const bytes = Buffer.from(lines.join(''));
    const memory = new ArrayBuffer(bytes.length + PADDING);
    new Uint8Array(memory).set(bytes);
    encoder.add(memory, bytes.length);
    assert.equal(encoder.take().blocks.length, 1, more);
  }
});

test('an array whose type depends on the rows before it is encoded only if that is known', () => {
  const taken = (...values: string[]) => {
    const lines = values.map(withFields);
    const texts = new Set(encodeLines(Buffer.from(lines.join('')), SHAPE).texts.map(String));
    return values.filter((value) => !texts.has(withFields(value)));
  };
  assert.deepEqual(taken('[1.5]', '[1]', '[]'), ['[1.5]', '[]']);
  assert.deepEqual(taken('[1]', '[1.5]', '[2]', '[]'), ['[1]', '[1.5]']);
  assert.deepEqual(taken('[]', '[1]', '[null]'), ['[]', '[1]']);
  assert.deepEqual(taken('[{"x":1}]', '[]', '[null]'), ['[{"x":1}]']);
});

test('hostile lines never fail: each is encoded, or returned as it was', () => {
  const alphabet = [
    '{',
    '}',
    '[',
    ']',
    '"',
    '\\',
    ',',
    ':',
    'u',
    'd',
    '8',
    '0',
    '-',
    '.',
    'e',
    'null',
    'true',
    '\n',
    '\0',
    'é',
    'raw',
    'ts',
  ];
  const junk = fc.array(fc.constantFrom(...alphabet), { maxLength: 30 }).map((parts) => parts.join(''));
  const damaged = fc.tuple(fc.nat(), fc.nat(255), fc.json()).map(([at, byte, json]) => {
    const bytes = Buffer.from(line({ fields: json.startsWith('{') ? json : `{"v":${json}}` }));
    bytes[at % bytes.length] = byte;
    return bytes.toString('latin1');
  });
  const text = fc.oneof(junk, damaged, fc.string({ unit: 'binary' }));
  const encoder = new LineEncoder(SHAPE);
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 5 }), (texts) => {
      const lines = Buffer.from(texts.map((one) => `${one}\n`).join(''), 'latin1');
      const { texts: returned } = encodeLines(lines, SHAPE, encoder);
      const whole = lines.toString('latin1');
      let from = 0;
      for (const one of returned) {
        const at = whole.indexOf(one.toString('latin1'), from);
        assert.ok(at >= from);
        from = at + one.length;
      }
    }),
    { numRuns: 3000 },
  );
});
