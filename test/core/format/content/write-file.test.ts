import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import {
  type ArchiveHead,
  backupManifest,
  generateKey,
  parseKey,
  type SealedFile,
  writeArchive,
  writeBackup,
} from '../../../../src/core/format/index.ts';
import type { LineBlock } from '../../../../src/core/ports/log-database.ts';
import { openArchive, openBackup, openContent, openStream } from '../../../helpers/plain-reader.ts';

const hex = generateKey();
const key = parseKey(hex);
const head: ArchiveHead = {
  tool: 'test 1',
  fractal: { id: 'f1', name: 'Main' },
  period: null,
  split: 'none',
  fields: true,
};
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

function line(index: number, raw = `row ${index}`): Buffer {
  const ts = new Date(Date.UTC(2026, 2, 1) + index).toISOString();
  return Buffer.from(`${JSON.stringify({ ts, raw, id: `id${index}`, fid: 'f1', its: ts })}\n`);
}

/** Reuses a block's memory once the next one is requested. */
async function* blocks(...all: Buffer[]): AsyncGenerator<LineBlock> {
  for (const lines of all) {
    const bytes = Buffer.from(lines);
    yield { bytes, lines: bytes.toString('latin1').split('\n').length - 1 };
    bytes.fill('?');
  }
}

async function collect(file: SealedFile): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of file.bytes) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Offset, magic and header byte of each zstd frame, found without decoding. */
function contentFrames(stream: Buffer): { end: number; descriptor: number }[] {
  const frames = [];
  for (let at = 0; at < stream.length; ) {
    if (stream.readUInt32LE(at) >>> 4 === 0x184d2a5) {
      at += 8 + stream.readUInt32LE(at + 4);
      continue;
    }
    assert.equal(stream.readUInt32LE(at), 0xfd2fb528);
    const descriptor = stream[at + 4] as number;
    const single = (descriptor >> 5) & 1;
    at += 5 + (1 - single) + ([single, 2, 4, 8][descriptor >> 6] as number);
    for (let last = 0; !last; ) {
      const block = stream.readUIntLE(at, 3);
      last = block & 1;
      at += 3 + (((block >> 1) & 3) === 1 ? 1 : block >> 3);
    }
    at += 4;
    frames.push({ end: at, descriptor });
  }
  return frames;
}

test('writes the header line and all lines, and counts them in the summary', async () => {
  const rows = Array.from({ length: 1000 }, (_, index) => line(index));
  const file = writeArchive(blocks(Buffer.concat(rows.slice(0, 10)), Buffer.concat(rows.slice(10))), {
    key,
    head,
  });
  assert.throws(() => file.summary(), { code: 'INTERNAL' });
  const stored = await collect(file);
  assert.equal(openArchive(stored, hex).length, 1000);
  const content = openContent(stored, hex);
  assert.deepEqual(content.subarray(content.indexOf('\n') + 1), Buffer.concat(rows));
  assert.deepEqual(file.summary(), {
    size_bytes: stored.length,
    checksum: sha256(stored),
    content_bytes: content.length,
    content_sha256: sha256(content),
    rows: 1000,
    lines: 1001,
    first: '2026-03-01T00:00:00.000Z',
    last: '2026-03-01T00:00:00.999Z',
    long_lines: 0,
    frames: 1,
  });
  assert.deepEqual(file.progress(), { bytes_in: content.length, bytes_out: stored.length, rows: 1000 });
});

test('writes a valid archive without rows', async () => {
  const file = writeArchive(blocks(), { key, head });
  assert.equal(openContent(await collect(file), hex).toString(), '{"_bifract_archive_version":1}\n');
  assert.equal(file.summary().rows, 0);
  assert.equal(file.summary().first, null);
});

test('writes manifest, separator and dump, and never the key', async () => {
  const dump = Buffer.from('PGDMP\n---BIFRACT_BACKUP_SEPARATOR---\n\0\xff', 'latin1');
  const manifest = backupManifest({
    version: '1',
    timestamp: '2026-03-01T00:00:00Z',
    env_vars: { A: 'b', BIFRACT_BACKUP_ENCRYPTION_KEY: hex },
  });
  const source = (async function* () {
    yield dump.subarray(0, 9);
    yield dump.subarray(9);
  })();
  const stored = await collect(
    writeBackup({ ...manifest, env_vars: { A: 'b', BIFRACT_BACKUP_ENCRYPTION_KEY: hex } }, source, {
      key,
      head: { tool: 't' },
    }),
  );
  const read = openBackup(stored, hex);
  assert.deepEqual(read.dump, dump);
  assert.deepEqual(JSON.parse(read.manifest), {
    version: '1',
    timestamp: '2026-03-01T00:00:00Z',
    type: 'postgres',
    env_vars: { A: 'b' },
  });
});

test('frames end at line ends, have size and checksum, and never end where a chunk ends', async () => {
  const rows = Array.from({ length: 60 }, (_, index) =>
    line(index, createHash('sha512').update(String(index)).digest('hex').repeat(1200)),
  );
  const file = writeArchive(blocks(Buffer.concat(rows)), { key, head });
  const stream = openStream(await collect(file), hex);
  const frames = contentFrames(stream);
  assert.equal(frames.length, file.summary().frames);
  assert.ok(frames.length > 3);
  for (const { end, descriptor } of frames) {
    assert.notEqual(end % 65536, 0);
    assert.equal(descriptor & 4, 4, 'checksum');
    assert.ok(descriptor >> 6 !== 0 || ((descriptor >> 5) & 1) === 1, 'content size');
  }
});

test('a line of 20 MB becomes one frame and counts as long', async () => {
  const long = line(1, 'x'.repeat(20_000_000));
  const file = writeArchive(blocks(Buffer.concat([line(0), long, line(2)])), { key, head });
  const content = openContent(await collect(file), hex);
  assert.equal(content.length, line(0).length + long.length + line(2).length + 31);
  assert.equal(file.summary().long_lines, 1);
  assert.equal(file.summary().frames, 3);
});

test('throws the error of the source and leaves the file without an end', async () => {
  const broken = new Error('source failure');
  const source = (async function* () {
    for (let index = 0; index < 50_000; index++) yield { bytes: line(index), lines: 1 };
    throw broken;
  })();
  const file = writeArchive(source, { key, head });
  const pieces: Buffer[] = [];
  await assert.rejects(
    async () => {
      for await (const piece of file.bytes) pieces.push(piece);
    },
    (error) => error === broken,
  );
  assert.throws(() => openStream(Buffer.concat(pieces), hex));
  assert.throws(() => file.summary(), { code: 'INTERNAL' });
});

test('throws the reason of an abort', async () => {
  const controller = new AbortController();
  const reason = new Error('stop');
  const source = (async function* () {
    for (let index = 0; ; index++) {
      if (index === 30_000) controller.abort(reason);
      yield { bytes: line(index), lines: 1 };
    }
  })();
  const file = writeArchive(source, { key, head, signal: controller.signal });
  await assert.rejects(collect(file), (error) => error === reason);
});

test('rejects a block that ends inside a line or miscounts its lines', async () => {
  const cut = (async function* () {
    yield { bytes: Buffer.from('{"ts":'), lines: 0 };
  })();
  await assert.rejects(collect(writeArchive(cut, { key, head })), { code: 'INTERNAL' });
  const miscounted = (async function* () {
    yield { bytes: line(1), lines: 2 };
  })();
  await assert.rejects(collect(writeArchive(miscounted, { key, head })), { code: 'INTERNAL' });
});
