import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createZstdCompress, zstdCompressSync } from 'node:zlib';
import { sealTrailer } from '../../../src/core/format/envelope/trailer.ts';
import { END_MAGIC, HEAD_MAGIC, skippableFrame } from '../../../src/core/format/frames/frame.ts';
import { describeFile, parseKey, readContent, readStream } from '../../../src/core/format/index.ts';
import { Dice } from '../../fuzz/mutations.ts';
import { readInChild } from '../../helpers/memory-child.ts';
import { archiveLine, framedArchive, KEY, noisyLines, sealStream } from '../../helpers/sealed.ts';
import { collect, inPieces, memorySource } from '../../helpers/streams.ts';

const MIB = 1024 * 1024;
const VECTORS = join(import.meta.dirname, '../../fixtures/vectors');
const folder = mkdtempSync(join(tmpdir(), 'bifract-sizes-'));
after(() => rmSync(folder, { recursive: true }));

const HEAD = {
  v: 1,
  kind: 'archive',
  uuid: 'u',
  created: '2026-03-01T00:00:00Z',
  tool: 't',
  fractal: { id: 'f', name: 'n' },
  period: null,
  split: 'none',
  fields: true,
  end: true,
};
const END = { rows: 1, lines: 2, bytes: 1, sha256: '', first: null, last: null };
const HEADER = '{"_bifract_archive_version":1}\n';
const NO_TAIL = () => Buffer.alloc(0);

/** Compressed size of `count` times the same text, without holding it: what a small file can claim. */
async function repeated(text: string, total: number, before = '', after_ = ''): Promise<Buffer> {
  const zstd = createZstdCompress();
  const block = Buffer.from(text.repeat(Math.ceil(MIB / text.length)));
  const out = collect(zstd);
  zstd.write(before);
  for (let sent = 0; sent < total; sent += block.length)
    if (!zstd.write(block)) await new Promise((resolve) => zstd.once('drain', resolve));
  zstd.end(after_);
  return out;
}

function head(more: object = {}): Buffer {
  return skippableFrame(HEAD_MAGIC, Buffer.from(JSON.stringify({ ...HEAD, ...more })));
}

/** A sealed file of `bytes` random content bytes whose trailer decompresses to the given JSON. */
function withTrailer(trailer: Buffer, bytes = 200_000): Buffer {
  const stream = Buffer.concat([head(), zstdCompressSync(randomBytes(bytes))]);
  return sealStream(stream, (base, offset) => sealTrailer(KEY, base, offset, trailer));
}

const trailerStart = `{"head":${JSON.stringify(HEAD)},"end":${JSON.stringify(END)},"index":[`;
const entry = (of: object) =>
  JSON.stringify({ offset: 0, size: 10, plain: 10, rows: 1, first: null, last: null, ...of });

const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;

/** Small files, and what reading them must end with. */
const FILES: Record<string, { file: () => Promise<Buffer> | Buffer; code: string }> = {
  'a trailer that decompresses to 240 MiB of entries': {
    file: async () => withTrailer(await repeated(`${entry({})},`, 240 * MIB, trailerStart, `${entry({})}]}`)),
    code: 'DAMAGED',
  },
  'a trailer of spaces': {
    file: async () => withTrailer(await repeated(' ', 240 * MIB, trailerStart, ']}')),
    code: 'DAMAGED',
  },
  'a trailer of empty objects': {
    file: async () => withTrailer(await repeated('{},', MIB / 2, trailerStart, '{}]}')),
    code: 'DAMAGED',
  },
  'a nested head in the trailer': {
    file: () => {
      const nested = `{"head":{"v":1,"kind":"archive","end":true,"x":${deep(100_000)}},"end":{},"index":[]}`;
      return withTrailer(zstdCompressSync(Buffer.from(nested)));
    },
    code: 'DAMAGED',
  },
  'an index with a frame of 4 GiB': {
    file: () => {
      const index = entry({ size: 100_000, plain: 2 ** 32 });
      return withTrailer(zstdCompressSync(Buffer.from(`${trailerStart}${index}]}`)));
    },
    code: 'UNSUPPORTED',
  },
  'an index with a frame beyond the file': {
    file: () => {
      const index = entry({ offset: 10, size: 2 ** 40, plain: 10 });
      return withTrailer(zstdCompressSync(Buffer.from(`${trailerStart}${index}]}`)));
    },
    code: 'DAMAGED',
  },
  'a head of 1 MiB of brackets': {
    file: () => {
      const text = `{"v":1,"kind":"archive","end":true,"x":${deep(400_000)}}`;
      return sealStream(skippableFrame(HEAD_MAGIC, Buffer.from(text)), NO_TAIL);
    },
    code: 'CUT_OFF',
  },
  'an end frame of empty objects': {
    file: () => {
      const text = `{"rows":0,"lines":0,"bytes":0,"sha256":"","x":[${'{},'.repeat(300_000)}{}]}`;
      return sealStream(Buffer.concat([head(), skippableFrame(END_MAGIC, Buffer.from(text))]), NO_TAIL);
    },
    code: 'CUT_OFF',
  },
  'a skippable frame that claims 4 GiB': {
    file: () => {
      const frame = skippableFrame(HEAD_MAGIC, Buffer.alloc(10));
      frame.writeUInt32LE(2 ** 32 - 1, 4);
      return sealStream(frame, NO_TAIL);
    },
    code: 'CUT_OFF',
  },
  'a line of 2 GiB': {
    file: async () => {
      const content = await repeated('x', 2048 * MIB, `${HEADER}{"ts":"2026-03-01T00:00:00Z","raw":"`);
      return sealStream(Buffer.concat([head(), content]), NO_TAIL);
    },
    code: 'UNSUPPORTED',
  },
  'a line of a million members': {
    file: async () => {
      const content = await repeated('"a":1,', 20 * MIB, `${HEADER}{`, '"b":1}\n');
      return sealStream(Buffer.concat([head(), content]), NO_TAIL);
    },
    code: 'CUT_OFF',
  },
  'a deeply nested line': {
    file: async () => {
      const content = await repeated('[', 100 * MIB, `${HEADER}{"raw":"r","x":`, '\n');
      return sealStream(Buffer.concat([head(), content]), NO_TAIL);
    },
    code: 'CUT_OFF',
  },
  'a first line of 2 GiB': {
    file: async () => {
      const content = await repeated(' ', 2048 * MIB, '{"_bifract_archive_version":1,');
      return sealStream(Buffer.concat([head(), content]), NO_TAIL);
    },
    code: 'NOT_BIFRACT',
  },
  'a manifest of 2 GiB': {
    file: async () => {
      const content = await repeated(' ', 2048 * MIB, '{"version":"1",');
      return sealStream(Buffer.concat([head({ kind: 'backup' }), content]), NO_TAIL);
    },
    code: 'NOT_BIFRACT',
  },
  'a manifest of empty objects': {
    file: async () => {
      const start = '{"version":"1","timestamp":"","type":"postgres","bifract_console":[';
      const content = await repeated('{},', 12 * MIB, start, '{}]}\n---BIFRACT_BACKUP_SEPARATOR---\n');
      return sealStream(Buffer.concat([head({ kind: 'backup' }), content]), NO_TAIL);
    },
    code: 'NOT_BIFRACT',
  },
  'a manifest of many members': {
    file: async () => {
      const content = await repeated('"a":1,', 12 * MIB, '{', '"b":1}\n---BIFRACT_BACKUP_SEPARATOR---\n');
      return sealStream(Buffer.concat([head({ kind: 'backup' }), content]), NO_TAIL);
    },
    code: 'NOT_BIFRACT',
  },
  'a dump with tables of the longest names': {
    file: async () => {
      const dump = Buffer.concat([...manyTables(300_000)]);
      const content = zstdCompressSync(
        Buffer.concat([
          Buffer.from('{"version":"1","timestamp":"","type":"postgres"}\n---BIFRACT_BACKUP_SEPARATOR---\n'),
          dump,
        ]),
      );
      return sealStream(Buffer.concat([head({ kind: 'backup' }), content]), NO_TAIL);
    },
    code: 'DAMAGED',
  },
};

/** The header and table of contents of a dump that says it has very many tables. */
function* manyTables(count: number): Generator<Buffer> {
  const int = (value: number) => {
    const bytes = Buffer.alloc(5);
    bytes[0] = value < 0 ? 1 : 0;
    bytes.writeUInt32LE(Math.abs(value), 1);
    return bytes;
  };
  const text = (value: string) => Buffer.concat([int(value.length), Buffer.from(value)]);
  yield Buffer.from('PGDMP\x01\x0e\x00\x04\x08\x01', 'latin1');
  yield Buffer.concat([0, 0, 0, 0, 1, 0, 126, 0].map(int));
  yield Buffer.concat([text('db'), text('16.0'), text('16.0'), int(2_000_000_000)]);
  const long = text('t'.repeat(1000));
  for (let id = 1; id <= count; id++) {
    yield Buffer.concat([int(id), int(1), text('0'), text('0'), long, text('TABLE DATA'), int(3)]);
    yield Buffer.concat([int(-1), int(-1), text('COPY'), long, int(-1), int(-1), int(-1), text('false')]);
    yield Buffer.concat([int(-1), Buffer.of(1), Buffer.alloc(8)]);
  }
}

for (const [name, { file, code }] of Object.entries(FILES)) {
  test(`${name} takes little memory`, { timeout: 120_000 }, async () => {
    const stored = await file();
    assert.ok(stored.length < 4 * MIB, `${stored.length} bytes`);
    const path = join(folder, `${randomBytes(8).toString('hex')}.bifract`);
    writeFileSync(path, stored);
    const reading = await readInChild(path);
    assert.ok(reading.codes.includes(code), reading.codes.join());
    assert.ok(!reading.codes.some((one) => /bug|exit/.test(one)), reading.codes.join());
    assert.ok(reading.peak_bytes < 256 * MIB, `${Math.round(reading.peak_bytes / MIB)} MiB`);
  });
}

test('a file of very small frames, and one with a long line, are read', async () => {
  const lines = noisyLines(0, 3000, 20).map((line) => [line]);
  const long = [[archiveLine(0, 'x'.repeat(20 * MIB))], noisyLines(1, 2)];
  for (const frames of [lines, long]) {
    const path = join(folder, randomBytes(8).toString('hex'));
    writeFileSync(path, await collect(framedArchive(frames).bytes));
    assert.deepEqual((await readInChild(path)).codes, ['ok', 'ok']);
  }
});

/** A stream, and the trailer JSON of its file. */
interface Inner {
  stream: Buffer;
  trailer: string;
}

const LARGE = [2 ** 16, 2 ** 24, 2 ** 31 - 1, 2 ** 32 - 1];

/** Overwrites, inserts and removes bytes: among them large lengths in either byte order. */
function damage(bytes: Buffer, dice: Dice): Buffer {
  const copy = Buffer.from(bytes);
  const at = dice.below(Math.max(1, copy.length - 8));
  const value = dice.pick(LARGE);
  const change = dice.below(6);
  if (copy.length < 16) return copy;
  if (change === 0) copy.writeUInt32BE(value, at);
  else if (change === 1) copy.writeUInt32LE(value, at);
  else if (change === 2) copy[at] = dice.below(256);
  else if (change === 3) return Buffer.concat([copy.subarray(0, at), dice.bytes(5), copy.subarray(at)]);
  else if (change === 4) return Buffer.concat([copy.subarray(0, at), copy.subarray(at + 1 + dice.below(20))]);
  else return Buffer.concat([copy.subarray(0, at), copy.subarray(at >> 1)]);
  return copy;
}

/** A number, a bracket or a quote of a JSON text becomes something else. */
function damageJson(text: string, dice: Dice): string {
  const places = [...text.matchAll(/\d+|[{}[\]",:]/g)];
  const { 0: old = '', index = 0 } = dice.pick(places);
  const other = dice.pick(['9007199254740991', '4294967295', '-1', '1e308', '[[[[', '{', '"', '', 'null']);
  return text.slice(0, index) + other + text.slice(index + old.length);
}

async function inner(frames: Buffer[][]): Promise<Inner> {
  const stored = await collect(framedArchive(frames).bytes);
  const stream = await collect(readStream(inPieces(stored, 65_536), { keys: [KEY] }));
  const { head: top, end, index } = await describeFile(memorySource(stored), [KEY]);
  return { stream, trailer: JSON.stringify({ head: top, end, index }) };
}

test('files that are damaged below their encryption take little memory', { timeout: 240_000 }, async () => {
  const samples = [await inner([noisyLines(0, 30)]), await inner([noisyLines(0, 5), noisyLines(5, 500)])];
  const backups = ['pgdump', 'big-dump', 'pretty-manifest'].map((name) => ({
    bytes: readFileSync(join(VECTORS, `b-backup/${name}.bifract-backup`)),
    key: parseKey(
      JSON.parse(readFileSync(join(VECTORS, `b-backup/${name}.bifract-backup.json`), 'utf8')).key_hex,
    ),
  }));
  const contents = await Promise.all(
    backups.map(({ bytes, key }) => collect(readContent(inPieces(bytes, 65_536), { keys: [key] }))),
  );
  const dice = new Dice(20_260_301);
  const seal = (stream: Buffer, trailer: string) =>
    sealStream(stream, (base, offset) =>
      sealTrailer(KEY, base, offset, zstdCompressSync(Buffer.from(trailer))),
    );
  const make = [
    () => {
      const { stream, trailer } = dice.pick(samples);
      return seal(damage(stream, dice), trailer);
    },
    () => {
      const { stream, trailer } = dice.pick(samples);
      return seal(stream, damageJson(trailer, dice));
    },
    () => {
      const { trailer } = dice.pick(samples);
      const text = damage(Buffer.from(HEADER + archiveLine(1)), dice);
      return seal(Buffer.concat([head(), zstdCompressSync(text)]), trailer);
    },
    // Also damages the dump in it.
    () => {
      const content = damage(dice.pick(contents).subarray(0, 2000 + dice.below(100_000)), dice);
      return seal(Buffer.concat([head({ kind: 'backup' }), zstdCompressSync(content)]), '{}');
    },
  ];
  const paths = Array.from({ length: 600 }, (_, index) => {
    const path = join(folder, `fuzz-${index}`);
    writeFileSync(path, (make[index % make.length] as () => Buffer)());
    return path;
  });
  const { codes, peak_bytes } = await readInChild(...paths);
  assert.equal(codes.length, 2 * paths.length);
  const allowed = ['ok', 'DAMAGED', 'CUT_OFF', 'NOT_BIFRACT', 'UNSUPPORTED'];
  assert.deepEqual(
    [...new Set(codes)].filter((code) => !allowed.includes(code)),
    [],
  );
  assert.ok(codes.filter((code) => code !== 'ok').length > paths.length / 2);
  assert.ok(peak_bytes < 256 * MIB, `${Math.round(peak_bytes / MIB)} MiB`);
});
