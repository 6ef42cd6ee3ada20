import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ArchiveRow, parseLine, RestoreLineEncoder } from '../../../../src/core/format/index.ts';

const TS = '2026-03-01T12:00:00.123Z';
const ITS = '2026-03-01T12:00:01Z';

function passed(text: string | Buffer, lines = new RestoreLineEncoder(undefined)): string {
  return Buffer.concat(lines.take(Buffer.from(text)).pieces).toString('latin1');
}

const withRaw64 = (raw64: string) =>
  `{"ts":"${TS}","raw":"x","raw64":"${raw64}","id":"","fid":"f","its":"${ITS}","fields":{}}\n`;
const plain = (raw: string, rest = '') =>
  `{"ts":"${TS}","raw":${JSON.stringify(raw)},"id":"a1","fid":"f","its":"${ITS}"${rest}}\n`;

test('passes our own lines through unchanged, in one piece', () => {
  const text = [
    plain('one'),
    plain('two "quoted" \n \\', ',"fields":{"a":{"b":1}}'),
    plain(''),
    ...['/w==', '/wAB', 'AAAA/wABAP8='].map((raw64) => withRaw64(raw64)),
  ].join('');
  const lines = new RestoreLineEncoder(undefined);
  const block = lines.take(Buffer.from(text));
  assert.deepEqual([block.pieces.length, block.rows], [1, 6]);
  assert.equal(block.pieces[0]?.toString(), text);
  assert.deepEqual([lines.totals.first, lines.totals.last, lines.totals.in_range], [TS, TS, 6]);
});

test('rejects non-canonical base64', () => {
  for (const raw64 of ['/w=', '/x==', '/w', '/wB=', 'a', '=', '/w==/w==', '/-8=', '/w== '])
    assert.equal(passed(withRaw64(raw64)), '', raw64);
});

test('rewrites any other line to the same row, byte for byte', () => {
  const foreign = [
    `{ "TS":"2026-03-01T13:00:00.123+01:00" , "Raw":"x", "ID":"a", "its":"${ITS}" }\n`,
    `{"raw":"first","ts":"${TS}","raw":"last","id":"a","its":"${ITS}"}\n`,
    `{"ts":"${TS}","raw":"half \\ud83d of a pair","id":"a","fid":"f","its":"${ITS}"}\n`,
    `{"ts":"${TS}","raw":"x","id":"es\\u0063aped","fid":"f","its":"${ITS}"}\n`,
    `{"ts":"${TS}","raw":"no time of ingest","id":"a","fid":"f"}\n`,
    `{"ts":"${TS}","raw":"x","id":"a","fid":"f","its":"0001-01-01T00:00:00Z"}\n`,
    `{"its":"${ITS}","fields":{"k":"v"},"ts":"2028-02-29T00:00:00Z","raw":"leap","id":"a"}\n`,
    `{"ts":"${TS}","id":"a","its":"${ITS}"}\n`,
  ];
  for (const line of foreign) {
    const [before, after] = [line, passed(line)].map(
      (one) => parseLine(Buffer.from(one, 'latin1')) as ArchiveRow,
    );
    const its = before?.its?.startsWith('0001') ? null : before?.its;
    assert.notEqual(passed(line), line);
    assert.deepEqual({ ...after, fid: '' }, { ...before, fid: '', its: its ?? before?.ts }, line);
    const keys = Object.keys(JSON.parse(passed(line)));
    assert.equal(new Set(keys).size, keys.length);
  }
});

test('sends log lines of any bytes unchanged', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.boolean(), (bytes, shuffled) => {
      const raw64 = Buffer.from(bytes).toString('base64');
      const text = shuffled
        ? `{"raw64":"${raw64}","ts":"${TS}","raw":"","id":"i","its":"${ITS}"}\n`
        : `{"ts":"${TS}","raw":"?","raw64":"${raw64}","id":"i","fid":"f","its":"${ITS}"}\n`;
      const row = parseLine(Buffer.from(passed(text), 'latin1')) as ArchiveRow;
      const expected = bytes.length === 0 ? (shuffled ? '' : '?') : Buffer.from(bytes).toString('latin1');
      assert.equal(row.raw.toString('latin1'), expected);
    }),
  );
});

test('skips and counts lines that are not rows, or whose time is missing or out of range', () => {
  const lines = new RestoreLineEncoder(undefined);
  const text = `${plain('a')}nonsense\n{"raw":"no time","id":"a"}\n{"ts":"1850-01-01T00:00:00Z","raw":"x","id":"a","fid":"f","its":"${ITS}"}\n${plain('b')}`;
  assert.equal(passed(text, lines), plain('a') + plain('b'));
  assert.deepEqual([lines.totals.rows, lines.totals.malformed], [2, 3]);
  assert.match(lines.totals.examples.join(), /^line 3: .+,line 4: .+,line 5: .+$/);
});

test('does not send rows outside the range, nor the skipped ones', () => {
  const at = (ms: number) =>
    `{"ts":"2026-03-01T12:00:00.${String(ms).padStart(3, '0')}Z","raw":"${ms}","id":"a","fid":"f","its":"${ITS}"}\n`;
  const text = [0, 5, 5, 6, 9, 10, 11].map(at).join('');
  const start = Date.parse('2026-03-01T12:00:00Z');
  const range = { from_ms: start + 5, to_ms: start + 10 };
  const lines = new RestoreLineEncoder(range);
  assert.equal(passed(text, lines), [5, 5, 6, 9].map(at).join(''));
  assert.deepEqual([lines.totals.rows, lines.totals.in_range], [7, 4]);
  const rest = new RestoreLineEncoder(range, 3);
  assert.equal(passed(text, rest), at(9));
  assert.equal(rest.totals.in_range, 4);
});
