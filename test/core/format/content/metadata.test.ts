import assert from 'node:assert/strict';
import { before, suite, test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { decodeTrailer, type End, type Trailer } from '../../../../src/core/format/content/metadata.ts';
import { openTail, sealTrailer } from '../../../../src/core/format/envelope/trailer.ts';
import { END_MAGIC, HEAD_MAGIC, skippableFrame } from '../../../../src/core/format/frames/frame.ts';
import { describeFile, readFrames } from '../../../../src/core/format/index.ts';
import { openContent, openStream } from '../../../helpers/plain-reader.ts';
import {
  framedArchive,
  KEY,
  KEY_HEX,
  noisyLines,
  OTHER_KEY,
  readAll,
  sealStream,
} from '../../../helpers/sealed.ts';
import { collect, memorySource } from '../../../helpers/streams.ts';

interface Parts {
  stored: Buffer;
  content: Buffer;
  stream: Buffer;
  head: Buffer;
  /** Content frames, and the end frame. */
  body: Buffer;
  end: Buffer;
  trailer: Trailer;
  offset: number;
}

async function makeParts(): Promise<Parts> {
  const frames = Array.from({ length: 6 }, (_, index) => noisyLines(index * 100, 60));
  const stored = await collect(framedArchive(frames).bytes);
  const stream = openStream(stored, KEY_HEX);
  const headEnd = 8 + stream.readUInt32LE(4);
  const endAt = stream.lastIndexOf(Buffer.from('512a4d18', 'hex'));
  const offset = (await describeFile(memorySource(stored), [KEY])).trailer_offset as number;
  return {
    stored,
    content: openContent(stored, KEY_HEX),
    stream,
    head: stream.subarray(0, headEnd),
    body: stream.subarray(headEnd, endAt),
    end: stream.subarray(endAt),
    trailer: await decodeTrailer(
      openTail(KEY, stored.subarray(0, 32), offset, stored.subarray(offset)),
      offset,
    ),
    offset,
  };
}

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const sealedTrailer = (trailer: Trailer) => (base: Buffer, offset: number) =>
  sealTrailer(KEY, base, offset, zstdCompressSync(json(trailer)));
const noTrailer = () => Buffer.alloc(0);

suite('head, end and trailer', () => {
  let parts: Parts;
  before(async () => {
    parts = await makeParts();
  });

  const rejects = async (stored: Buffer, code: string) => {
    const pieces: Buffer[] = [];
    await assert.rejects(
      async () => {
        pieces.push(await readAll(stored));
      },
      { code },
    );
  };

  test('the reassembled parts are a valid file', async () => {
    const stored = sealStream(parts.stream, sealedTrailer(parts.trailer));
    assert.deepEqual(await readAll(stored), parts.content);
  });

  test('detects a cut between chunks with a forged end marker', async () => {
    const [cut, endMarker] = [32 + 65_568, Buffer.alloc(4)];
    await rejects(Buffer.concat([parts.stored.subarray(0, cut), endMarker]), 'CUT_OFF');
    const withTrailer = [parts.stored.subarray(0, cut), endMarker, parts.stored.subarray(parts.offset)];
    await rejects(Buffer.concat(withTrailer), 'CUT_OFF');
    await rejects(Buffer.concat([parts.stored.subarray(0, 32), endMarker]), 'CUT_OFF');
  });

  test('detects a missing end frame, at any frame boundary', async () => {
    for (const { offset } of parts.trailer.index) {
      const stream = parts.stream.subarray(0, offset);
      await rejects(sealStream(stream, sealedTrailer(parts.trailer)), 'CUT_OFF');
      await rejects(sealStream(stream, noTrailer), 'CUT_OFF');
    }
  });

  test('detects missing, duplicate or swapped frames', async () => {
    const [first, second] = parts.trailer.index.map(({ offset, size }) =>
      parts.stream.subarray(offset, offset + size),
    );
    const rest = parts.stream.subarray(parts.trailer.index[2]?.offset);
    for (const frames of [[second], [first], [first, first, second], [second, first]]) {
      const stream = Buffer.concat([parts.head, ...(frames as Buffer[]), rest]);
      await rejects(sealStream(stream, sealedTrailer(parts.trailer)), 'DAMAGED');
    }
  });

  test('rejects an end frame with wrong totals', async () => {
    const end = JSON.parse(parts.end.toString('utf8', 8)) as End;
    const wrong: Partial<End>[] = [{ rows: 1 }, { lines: 1 }, { bytes: 1 }, { sha256: 'ab'.repeat(32) }];
    for (const change of wrong) {
      const frame = skippableFrame(END_MAGIC, json({ ...end, ...change }));
      const stream = Buffer.concat([parts.head, parts.body, frame]);
      const trailer = { ...parts.trailer, end: { ...end, ...change } };
      await rejects(sealStream(stream, sealedTrailer(trailer)), 'DAMAGED');
    }
  });

  test('rejects data after the end frame', async () => {
    const more = Buffer.concat([parts.stream, zstdCompressSync(Buffer.from('more'))]);
    await rejects(sealStream(more, sealedTrailer(parts.trailer)), 'DAMAGED');
    const twice = Buffer.concat([parts.stream, parts.end]);
    await rejects(sealStream(twice, sealedTrailer(parts.trailer)), 'DAMAGED');
  });

  test('a file with a key mark must start with a supported head', async () => {
    const rest = Buffer.concat([parts.body, parts.end]);
    await rejects(sealStream(rest, sealedTrailer(parts.trailer)), 'DAMAGED');
    const newer = skippableFrame(HEAD_MAGIC, json({ ...parts.trailer.head, v: 2 }));
    await rejects(sealStream(Buffer.concat([newer, rest]), noTrailer), 'UNSUPPORTED');
    const noJson = skippableFrame(HEAD_MAGIC, Buffer.from('{'));
    await rejects(sealStream(Buffer.concat([noJson, rest]), noTrailer), 'DAMAGED');
  });

  test('the trailer must be present, intact and match the content', async () => {
    await rejects(sealStream(parts.stream, noTrailer), 'CUT_OFF');
    await rejects(parts.stored.subarray(0, parts.offset), 'CUT_OFF');
    const [entry] = parts.trailer.index;
    assert.ok(entry);
    const changes: Partial<Trailer>[] = [
      { index: parts.trailer.index.slice(1) },
      { index: [{ ...entry, rows: 7 }, ...parts.trailer.index.slice(1)] },
      { index: [{ ...entry, offset: entry.offset + 1 }, ...parts.trailer.index.slice(1)] },
      { end: { ...parts.trailer.end, rows: 1 } },
      { head: { ...parts.trailer.head, created: 'x' } },
    ];
    for (const change of changes) {
      await rejects(sealStream(parts.stream, sealedTrailer({ ...parts.trailer, ...change })), 'DAMAGED');
    }
    const other = await makeParts();
    const swapped = Buffer.concat([
      parts.stored.subarray(0, parts.offset),
      other.stored.subarray(other.offset),
    ]);
    await rejects(swapped, 'DAMAGED');
    await assert.rejects(describeFile(memorySource(swapped), [KEY]), { code: 'DAMAGED' });
    const between = [
      parts.stored.subarray(0, parts.offset),
      Buffer.alloc(9),
      parts.stored.subarray(parts.offset),
    ];
    await rejects(Buffer.concat(between), 'DAMAGED');
    await rejects(Buffer.concat([parts.stored, Buffer.alloc(40)]), 'CUT_OFF');
  });

  test('describes a file in at most three reads', async () => {
    const source = memorySource(parts.stored);
    const description = await describeFile(source, [OTHER_KEY, KEY]);
    assert.ok(source.reads.length <= 3);
    assert.equal(description.sealed, true);
    assert.deepEqual(description.head, parts.trailer.head);
    assert.equal(description.end?.rows, 360);
    assert.equal(description.index?.length, 6);
    assert.deepEqual(description.index?.[1]?.first, { ts: '2026-03-01T00:00:00.100Z', id: 'x' });
  });

  test('distinguishes a wrong key from damage', async () => {
    await assert.rejects(readAll(parts.stored, 5000, [OTHER_KEY]), { code: 'WRONG_KEY' });
    await assert.rejects(describeFile(memorySource(parts.stored), [OTHER_KEY]), { code: 'WRONG_KEY' });
    await assert.rejects(readAll(parts.stored, 5000, []), { code: 'KEY_MISSING' });
    const flipped = Buffer.from(parts.stored);
    flipped[60] = (flipped[60] as number) ^ 1;
    await assert.rejects(readAll(flipped), { code: 'DAMAGED', message: /at byte 32:/ });
  });

  test('reads and verifies only the requested frames', async () => {
    const source = memorySource(parts.stored);
    const description = await describeFile(source, [KEY]);
    source.reads.length = 0;
    const frames = [];
    for await (const frame of readFrames(source, description, [KEY], 2, 3)) frames.push(frame);
    assert.deepEqual(
      frames.map(({ frame, entry }) => [frame, entry.rows]),
      [[2, 60]],
    );
    assert.ok(source.reads.reduce((sum, [, length]) => sum + length, 0) <= 32 + 2 * 65_568);
    // A chunk's length, its nonce, its ciphertext.
    for (const at of [32 + 3, 32 + 7, 50_000]) {
      const flipped = Buffer.from(parts.stored);
      flipped[at] = (flipped[at] as number) ^ 1;
      const read = readFrames(memorySource(flipped), description, [KEY], 0, 6);
      await assert.rejects(collectPlain(read), { code: 'DAMAGED' }, `byte ${at}`);
    }
  });
});

async function collectPlain(frames: AsyncIterable<{ plain: Buffer }>): Promise<void> {
  for await (const _ of frames);
}
