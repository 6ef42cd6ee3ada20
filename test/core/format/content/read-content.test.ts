import assert from 'node:assert/strict';
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { suite, test } from 'node:test';
import { constants, zstdCompressSync } from 'node:zlib';
import { readContent } from '../../../../src/core/format/index.ts';
import { archiveLine, framedArchive, KEY, KEY_HEX, noisyLines, readAll } from '../../../helpers/sealed.ts';
import { collect, inPieces } from '../../../helpers/streams.ts';

/** A sealed stream without key mark and trailer, as the server writes it. */
function serverFile(stream: Buffer): Buffer {
  const base = randomBytes(32);
  const parts = [base];
  for (let at = 0, index = 0n; at < stream.length; at += 65_536, index++) {
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(index);
    const nonce = createHash('sha256').update(base).update(counter).digest().subarray(0, 12);
    const cipher = createCipheriv('aes-256-gcm', Buffer.from(KEY_HEX, 'hex'), nonce);
    const sealed = [cipher.update(stream.subarray(at, at + 65_536)), cipher.final(), cipher.getAuthTag()];
    const length = Buffer.alloc(4);
    length.writeUInt32BE(Buffer.concat(sealed).length);
    parts.push(length, nonce, ...sealed);
  }
  return Buffer.concat([...parts, Buffer.alloc(4)]);
}

const checksummed = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };

suite('readContent', () => {
  test('streams one huge frame in small pieces', async () => {
    const plain = Buffer.alloc(200_000_000);
    const stored = serverFile(zstdCompressSync(plain, checksummed));
    const hash = createHash('sha256');
    let largest = 0;
    const reader = readContent(inPieces(stored, 1000), { keys: [KEY] });
    for await (const piece of reader) {
      hash.update(piece);
      largest = Math.max(largest, piece.length);
    }
    assert.ok(largest <= 1024 * 1024);
    assert.equal(hash.digest('hex'), reader.summary().content_sha256);
    assert.equal(reader.summary().content_bytes, plain.length);
  });

  test('rejects a frame with a wrong content size, long or short', async () => {
    for (const size of [1000, 30_000_000]) {
      const frame = zstdCompressSync(
        randomBytes(500)
          .toString('hex')
          .repeat(size / 1000),
        {
          ...checksummed,
          pledgedSrcSize: size,
        },
      );
      const single = ((frame[4] as number) & 32) !== 0;
      const at = single ? 5 : 6;
      for (const change of [1, -1]) {
        const forged = Buffer.from(frame);
        forged.writeUInt8((forged.readUInt8(at) + change) & 255, at);
        await assert.rejects(readAll(serverFile(forged)), { code: 'DAMAGED' });
      }
      assert.equal((await readAll(serverFile(frame))).length, size);
    }
  });

  test('does not support dictionaries or oversized windows', async () => {
    const dictionary = Buffer.from('28b52ffd2301000000010000', 'hex');
    await assert.rejects(readAll(serverFile(dictionary)), { code: 'UNSUPPORTED' });
    const window = Buffer.from('28b52ffd0090010000', 'hex');
    await assert.rejects(readAll(serverFile(window)), { code: 'UNSUPPORTED', message: /256 MiB/ });
  });

  test('yields content before the damage, then fails', async () => {
    const lines = Array.from({ length: 8 }, (_, index) => noisyLines(index * 200, 200));
    const stored = await collect(framedArchive(lines).bytes);
    const at = stored.length - 70_000;
    stored[at] = (stored[at] as number) ^ 1;
    let read = 0;
    await assert.rejects(
      async () => {
        for await (const piece of readContent(inPieces(stored, 65_536), { keys: [KEY] }))
          read += piece.length;
      },
      { code: 'DAMAGED' },
    );
    assert.ok(read > 400_000, `${read} bytes`);
  });

  test('throws the error of its source, and closes the source when the reader stops', async () => {
    const stored = await collect(framedArchive([[archiveLine(0)]]).bytes);
    const broken = new Error('disk failure');
    const source = async function* () {
      yield stored.subarray(0, 200);
      throw broken;
    };
    await assert.rejects(collect(readContent(source(), { keys: [KEY] })), (error) => error === broken);
    let closed = false;
    const endless = async function* () {
      try {
        for (;;) yield* inPieces(stored, 100);
      } finally {
        closed = true;
      }
    };
    for await (const _ of readContent(endless(), { keys: [KEY] })) break;
    assert.equal(closed, true);
  });

  test('throws the reason of an abort', async () => {
    const stored = await collect(framedArchive([noisyLines(0, 1000)]).bytes);
    const controller = new AbortController();
    const reason = new Error('stop');
    const source = async function* () {
      for await (const piece of inPieces(stored, 10_000)) {
        yield piece;
        controller.abort(reason);
      }
    };
    const reader = readContent(source(), { keys: [KEY], signal: controller.signal });
    await assert.rejects(collect(reader), (error) => error === reason);
    assert.throws(() => reader.summary(), { code: 'INTERNAL' });
  });
});
