import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { splitLines } from '../../../../src/core/adapters/clickhouse/ndjson-splitter.ts';
import { BifractError } from '../../../../src/core/contract/errors.ts';
import type { LineBlock } from '../../../../src/core/ports/log-database.ts';

const SHAPE = { prefix: Buffer.from('{"ts":"'), suffix: Buffer.from('Z"}') };

function line(raw: string): string {
  return `${JSON.stringify({ ts: 't', raw, its: '2026-03-01T00:00:00Z' })}\n`;
}

async function* inPieces(text: string | Buffer, size: number, failure?: Error) {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  if (failure) throw failure;
}

async function split(chunks: AsyncIterable<Buffer>): Promise<LineBlock[]> {
  const blocks: LineBlock[] = [];
  for await (const { bytes, lines } of splitLines(chunks, SHAPE))
    blocks.push({ bytes: Buffer.from(bytes), lines });
  return blocks;
}

async function refusal(text: string, failure?: Error, size = 1000): Promise<BifractError> {
  try {
    await split(inPieces(text, size, failure));
  } catch (error) {
    assert.ok(error instanceof BifractError, String(error));
    assert.equal(error.code, 'QUERY_FAILED');
    return error;
  }
  throw new assert.AssertionError({ message: 'an invalid line was accepted' });
}

test('lines are complete, whatever chunks they arrive in', async () => {
  const piece = fc.integer({ min: 1, max: 5000 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ maxLength: 300 }), { maxLength: 50 }),
      piece,
      async (logs, size) => {
        const text = logs.map(line).join('');
        const blocks = await split(inPieces(text, size));
        assert.equal(Buffer.concat(blocks.map(({ bytes }) => bytes)).toString('utf8'), text);
        assert.equal(
          blocks.reduce((sum, { lines }) => sum + lines, 0),
          logs.length,
        );
      },
    ),
  );
});

test('blocks have a few hundred KiB and end at line ends', async () => {
  const text = line('x'.repeat(1000)).repeat(5000);
  const blocks = await split(inPieces(text, 65_536));
  for (const { bytes, lines } of blocks) {
    assert.equal(bytes.at(-1), 10);
    assert.equal(bytes.toString('utf8').split('\n').length - 1, lines);
  }
  for (const { bytes } of blocks.slice(0, -1)) assert.ok(bytes.length > 256 << 10 && bytes.length <= 1 << 20);
});

test('one line of 20 MB is one block', async () => {
  const blocks = await split(inPieces(line('x'.repeat(20_000_000)), 65_536));
  assert.deepEqual(
    blocks.map(({ lines }) => lines),
    [1],
  );
});

const MESSAGE =
  "Code: 395. DB::Exception: Value passed to 'throwIf' is non-zero. (FUNCTION_THROW_IF) (version 26.7.2.1)";
const frame = `\r\n__exception__\r\ne758efc3e42ed574\r\n${MESSAGE}\n${MESSAGE.length + 1} e758efc3e42ed574\r\n__exception__\r\n`;
const styles = {
  'a bare message': `${MESSAGE}\n`,
  'a bare message without a newline': MESSAGE,
  'a JSON line': `{"exception": "${MESSAGE}"}\n`,
  'a frame': frame,
};

for (const [style, failure] of Object.entries(styles)) {
  for (const [place, before] of Object.entries({
    'at once': '',
    'after a line': line('Code: 1. DB::Exception: only data'),
    'after many lines': line('x'.repeat(500)).repeat(3000),
    'within a long line': line('x'.repeat(700_000)).slice(0, 600_000),
    'within a line': line('complete') + line('x'.repeat(700)).slice(0, 400),
  })) {
    test(`${style} ${place} is an error with the message of ClickHouse`, async () => {
      const error = await refusal(before + failure);
      assert.ok(error.message.endsWith(`: ${MESSAGE}`), error.message);
      assert.equal((await refusal(before + failure, new Error('aborted'), 7)).message, error.message);
    });
  }
}

test('a partial line at the end is an error', async () => {
  const text = line('a') + line('b');
  for (let cutOff = 1; cutOff < line('b').length; cutOff++) {
    const error = await refusal(text.slice(0, -cutOff));
    assert.deepEqual([error.transient, error.cause], [true, undefined]);
  }
});

test('a connection lost between lines is an error', async () => {
  const failure = new Error('socket hang up');
  const error = await refusal(line('Code: 1. DB::Exception: only data'), failure);
  assert.equal(error.cause, failure);
  assert.match(error.message, /: socket hang up$/);
  assert.doesNotMatch(error.message, /only data/);
});

test('lines of another query are an error', async () => {
  for (const text of [
    '{"raw":"x","ts":"Z"}\n',
    '\n',
    '{"ts":""}\n',
    '{"ts":"Z"}x\n',
    `${line('a').trim()}\r\n`,
  ]) {
    await refusal(text);
  }
});

test('a BifractError of the source is passed on unchanged', async () => {
  const failure = new BifractError('CANCELLED', 'enough');
  await assert.rejects(split(inPieces(line('a'), 10, failure)), (error) => error === failure);
});
