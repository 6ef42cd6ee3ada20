import assert from 'node:assert/strict';
import { test } from 'node:test';
import { archiveLines, parseLine } from '../../../../src/core/format/index.ts';
import { inPieces } from '../../../helpers/streams.ts';

const parse = (text: string) => parseLine(Buffer.from(text));

test('parses columns, fields and exact bytes of a row', () => {
  const exact = Buffer.from([0, 255, 10, 254]);
  const line = `{"ts":"2026-03-01T12:00:00.1Z","raw":"x","id":"i","fid":"f","its":"2026-03-01T12:00:00Z","fields":{"a":"1"},"cols":{"normalizer":"x@1"},"raw64":"${exact.toString('base64')}"}\n`;
  const row = parse(line);
  assert.ok(!('malformed' in row));
  assert.deepEqual(
    { ...row, fields: String(row.fields), cols: String(row.cols) },
    {
      ts: '2026-03-01T12:00:00.1Z',
      raw: exact,
      id: 'i',
      fid: 'f',
      its: '2026-03-01T12:00:00Z',
      fields: '{"a":"1"}',
      cols: '{"normalizer":"x@1"}',
    },
  );
});

test('empty raw64 means raw is exact; invalid base64 is malformed', () => {
  const empty = parse('{"raw":"x","raw64":""}');
  assert.ok(!('malformed' in empty) && empty.raw.toString() === 'x');
  assert.ok('malformed' in parse('{"raw":"x","raw64":"%%"}'));
});

test('converts times to UTC with all digits; impossible times are malformed', () => {
  const time = (ts: string) => {
    const row = parse(JSON.stringify({ ts, raw: 'x' }));
    return 'malformed' in row ? undefined : row.ts;
  };
  assert.equal(time('2026-03-01T01:30:00.123456789+02:00'), '2026-02-28T23:30:00.123456789Z');
  assert.equal(time('2026-12-31T23:00:00-01:30'), '2027-01-01T00:30:00Z');
  assert.equal(time('2024-02-29T00:00:00Z'), '2024-02-29T00:00:00Z');
  for (const bad of [
    '2026-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:00:00,5Z',
  ]) {
    assert.equal(time(bad), undefined, bad);
  }
});

test('parses a line of 20 MB', () => {
  const raw = Buffer.alloc(20_000_000, 'x');
  const row = parseLine(Buffer.concat([Buffer.from('{"raw":"'), raw, Buffer.from('","id":"7"}')]));
  assert.ok(!('malformed' in row));
  assert.equal(row.id, '7');
  assert.ok(row.raw.equals(raw));
});

test('yields complete lines from pieces of any size, with a final newline', async () => {
  const content = Buffer.from(
    `{"_bifract_archive_version":1}\r\n{"raw":"a"}\n{"raw":"${'b'.repeat(300)}"}\n{"raw":"c"}`,
  );
  for (let size = 1; size < 60; size++) {
    let text = '';
    let lines = 0;
    for await (const block of archiveLines(inPieces(content, size))) {
      assert.ok(block.bytes.at(-1) === 10);
      text += block.bytes;
      lines += block.lines;
    }
    assert.equal(lines, 3);
    assert.equal(text, `${content.subarray(content.indexOf('\n') + 1)}\n`);
  }
});
