import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import {
  archiveLines,
  backupManifest,
  describeFile,
  parseLine,
  readContent,
  readFrames,
  splitBackup,
  writeArchive,
  writeBackup,
} from '../../../src/core/format/index.ts';
import { openBackup, openContent, openStream } from '../../helpers/plain-reader.ts';
import {
  archiveLine,
  blocksOf,
  framedArchive,
  HEAD,
  KEY,
  KEY_HEX,
  OTHER_KEY,
  readAll,
} from '../../helpers/sealed.ts';
import { blockLines, collect, inPieces, memorySource } from '../../helpers/streams.ts';

const raws = fc.array(
  fc.oneof(fc.string({ unit: 'binary' }), fc.string({ minLength: 500, maxLength: 3000 })),
  {
    maxLength: 30,
  },
);
const pieces = fc.integer({ min: 1, max: 5000 });

suite('written files read back', () => {
  test('archives with any lines in any blocks', async () => {
    await fc.assert(
      fc.asyncProperty(
        raws,
        fc.infiniteStream(fc.integer({ min: 1, max: 8 })),
        pieces,
        async (texts, sizes, size) => {
          const lines = texts.map((raw, index) => archiveLine(index, raw));
          const blocks: Buffer[] = [];
          for (let at = 0; at < lines.length; ) {
            const count = sizes.next().value as number;
            blocks.push(Buffer.concat(lines.slice(at, at + count)));
            at += count;
          }
          const file = writeArchive(blocksOf(...blocks), { key: KEY, head: HEAD });
          const stored = await collect(file.bytes);
          const reader = readContent(inPieces(stored, size), { keys: [OTHER_KEY, KEY] });
          const rows: Buffer[] = [];
          for await (const block of archiveLines(reader)) rows.push(...blockLines(block));
          assert.deepEqual(
            rows.map((row) => `${row}\n`),
            lines.map(String),
          );
          for (const [index, row] of rows.entries()) {
            const parsed = parseLine(row);
            assert.ok(!('malformed' in parsed));
            assert.equal(parsed.raw.toString(), Buffer.from(texts[index] as string).toString());
          }
          const summary = reader.summary();
          assert.equal(summary.checksum, file.summary().checksum);
          assert.equal(summary.end?.rows, lines.length);
          assert.equal(summary.sealed, true);
          assert.equal(openContent(stored, KEY_HEX).length, summary.content_bytes);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('backups with any dump', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200_000 }),
        pieces,
        fc.dictionary(fc.string(), fc.string()),
        async (bytes, size, env_vars) => {
          const dump = Buffer.from(bytes);
          const manifest = backupManifest({ version: '1', timestamp: '2026-03-01T00:00:00Z', env_vars });
          const file = writeBackup(manifest, inPieces(dump, size), { key: KEY, head: { tool: 't' } });
          const stored = await collect(file.bytes);
          const split = await splitBackup(readContent(inPieces(stored, size * 7), { keys: [KEY] }));
          assert.deepEqual(await collect(split.dump), dump);
          assert.equal(JSON.stringify(split.manifest), JSON.stringify(manifest));
          assert.deepEqual(openBackup(stored, KEY_HEX).dump, dump);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('files of many frames, also by index, at the computed size', async () => {
    const frame = fc.array(fc.string({ maxLength: 300 }), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(frame, { minLength: 1, maxLength: 12 }),
        fc.nat(),
        fc.nat(),
        async (texts, a, b) => {
          const frames = texts.map((raws) => raws.map((raw, index) => archiveLine(index, raw)));
          const file = framedArchive(frames);
          const stored = await collect(file.bytes);
          const content = await readAll(stored, 999);
          const source = memorySource(stored);
          const description = await describeFile(source, [KEY]);
          const stream = openStream(stored, KEY_HEX).length;
          assert.equal(description.trailer_offset, 32 + Math.ceil(stream / 65536) * 32 + stream + 4);
          const [from, to] = [Math.min(a % 14, b % 14), Math.max(a % 14, b % 14)];
          const index = description.index ?? [];
          const before = index.slice(0, from).reduce((sum, entry) => sum + entry.plain, 0);
          const size = index.slice(from, to).reduce((sum, entry) => sum + entry.plain, 0);
          const read: Buffer[] = [];
          for await (const { plain } of readFrames(source, description, [KEY], from, to)) read.push(plain);
          assert.deepEqual(Buffer.concat(read), content.subarray(before, before + size));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('a file of several megabytes, in pieces around the chunk size', async () => {
    const lines = Array.from({ length: 30_000 }, (_, index) =>
      archiveLine(index, `row ${index} `.repeat(12)),
    );
    const stored = await collect(
      writeArchive(blocksOf(Buffer.concat(lines)), { key: KEY, head: HEAD }).bytes,
    );
    const content = openContent(stored, KEY_HEX);
    assert.ok(content.length > 5_000_000);
    for (const size of [1, 32, 65_567, 65_568, 65_569])
      assert.ok((await readAll(stored, size)).equals(content), `${size}`);
  });
});
