import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { suite, test } from 'node:test';
import { ByteCursor } from '../../../../src/core/format/envelope/byte-cursor.ts';
import { Opener } from '../../../../src/core/format/envelope/opener.ts';
import { paddingBefore } from '../../../../src/core/format/frames/frame.ts';
import { openContent, openStream } from '../../../helpers/plain-reader.ts';
import {
  archiveLine,
  framedArchive,
  KEY,
  KEY_HEX,
  noisyLines,
  readAll,
  sealStream,
} from '../../../helpers/sealed.ts';
import { collect, inPieces } from '../../../helpers/streams.ts';

const CHUNK = 65536;
const nothing = () => Buffer.alloc(0);

async function open(stored: Buffer, size: number): Promise<Buffer> {
  const opener = await Opener.open(new ByteCursor(inPieces(stored, size)), [KEY]);
  return collect(opener.chunks());
}

suite('a sealed stream', () => {
  for (const size of [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1, 2 * CHUNK, 2 * CHUNK + 1]) {
    test(`of ${size} bytes has the computed size and reads back in pieces of any size`, async () => {
      const plain = randomBytes(size);
      const stored = sealStream(plain, nothing);
      assert.equal(stored.length, 32 + Math.ceil(size / CHUNK) * 32 + size + 4);
      assert.deepEqual(openStream(stored, KEY_HEX), plain);
      for (const pieces of [1, CHUNK - 1, CHUNK + 1, stored.length])
        assert.deepEqual(await open(stored, pieces), plain);
    });
  }

  test('cut anywhere around a chunk boundary is rejected as cut off', async () => {
    const stored = sealStream(randomBytes(CHUNK + 10), nothing);
    const boundary = 32 + 32 + CHUNK;
    for (const at of [
      33,
      boundary - 1,
      boundary,
      boundary + 1,
      boundary + 4,
      boundary + 16,
      boundary + 17,
      stored.length - 1,
    ]) {
      await assert.rejects(open(stored.subarray(0, at), 5000), { code: 'CUT_OFF' }, `at ${at}`);
    }
  });
});

test('padding keeps frame ends off chunk boundaries', () => {
  for (let position = CHUNK - 40; position < CHUNK + 40; position++) {
    for (let size = 1; size < 60; size++) {
      const padding = paddingBefore(position, size)?.length ?? 0;
      assert.notEqual((position + padding + size) % CHUNK, 0);
      if (padding > 0) assert.notEqual((position + padding) % CHUNK, 0);
    }
  }
});

test('a frame that would end where a chunk ends is shifted', async () => {
  const lines = noisyLines(0, 200, 500);
  const write = async (tool: string) => {
    const file = framedArchive([lines, [archiveLine(300)]], KEY, tool);
    return { stored: await collect(file.bytes), file };
  };
  const headBytes = openStream((await write('')).stored, KEY_HEX).readUInt32LE(4) + 8;
  const probe = openStream((await write('')).stored, KEY_HEX);
  // The second content frame's magic shows where the first ends.
  const frameBytes = probe.indexOf(Buffer.from('28b52ffd', 'hex'), headBytes + 4) - headBytes;
  const tool = 'x'.repeat(CHUNK - ((headBytes + frameBytes) % CHUNK));
  const { stored } = await write(tool);
  const stream = openStream(stored, KEY_HEX);
  const end = headBytes + tool.length + frameBytes;
  assert.equal(end % CHUNK, 0, 'without padding it would end on the boundary');
  assert.equal(stream.readUInt32LE(headBytes + tool.length), 0x184d2a52);
  assert.equal(stream.readUInt32LE(headBytes + tool.length + 8), 0xfd2fb528);
  assert.deepEqual(await readAll(stored), openContent(stored, KEY_HEX));
});
