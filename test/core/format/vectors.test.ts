import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe as suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ByteCursor } from '../../../src/core/format/envelope/byte-cursor.ts';
import { Opener } from '../../../src/core/format/envelope/opener.ts';
import {
  archiveLines,
  describeFile,
  parseKey,
  parseLine,
  readContent,
  splitBackup,
} from '../../../src/core/format/index.ts';
import { blockLines, collect, inPieces, memorySource } from '../../helpers/streams.ts';
import { ACCEPTED_HERE, EXPECTED_CODES } from '../../helpers/vectors.ts';

interface Hashes {
  bytes: number;
  sha256: string;
}

interface Vector {
  file: string;
  kind: 'stream' | 'backup' | 'archive-v1';
  ok: boolean;
  key_hex: string;
  file_sha256: string;
  stream_plaintext?: Hashes;
  plaintext?: Hashes & { newlines: number };
  archive?: {
    data_lines: number;
    empty_raw_skipped: number;
    malformed_lines_skipped: number;
    raw_logs: number;
    raw_nl_sha256: string;
    raw_lp_sha256: string;
  };
  backup?: { dump_bytes: number; dump_sha256: string };
  manifest?: Record<string, unknown>;
}

const root = fileURLToPath(new URL('../../fixtures/vectors/', import.meta.url));
const load = (file: string) => JSON.parse(readFileSync(root + file, 'utf8')) as unknown;
const vectors = (load('index.json') as { file: string }[]).map(({ file }) => load(`${file}.json`) as Vector);
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

function content(vector: Vector, pieceBytes = 50_000) {
  const stored = readFileSync(root + vector.file);
  return readContent(inPieces(stored, pieceBytes), { keys: [parseKey(vector.key_hex)] });
}

async function plainStream(vector: Vector): Promise<Buffer> {
  const stored = new ByteCursor(inPieces(readFileSync(root + vector.file), 10_000));
  const opener = await Opener.open(stored, [parseKey(vector.key_hex)]);
  return collect(opener.chunks());
}

/** Reads a vector down to the last layer. */
async function readFully(vector: Vector): Promise<void> {
  if (vector.kind === 'stream') await plainStream(vector);
  else if (vector.kind === 'backup') await collect((await splitBackup(content(vector))).dump);
  else for await (const _ of archiveLines(content(vector)));
}

/** The server's reader replaces invalid UTF-8; ours keeps it. */
function asServerReads(raw: Buffer): Buffer {
  const text = raw.toString('utf8');
  return text.includes('\ufffd') ? Buffer.from(text) : raw;
}

suite('files of the Bifract server', () => {
  test('are complete and unmodified', () => {
    assert.equal(vectors.length, 120);
    for (const { file, file_sha256 } of vectors)
      assert.equal(sha256(readFileSync(root + file)), file_sha256, file);
  });

  for (const vector of vectors.filter(({ file, ok }) => ok || file in ACCEPTED_HERE)) {
    test(`accepts ${vector.file}`, async () => {
      const stream = vector.stream_plaintext as Hashes;
      assert.equal(sha256(await plainStream(vector)), stream.sha256);
      if (vector.kind === 'stream') return;
      const reader = content(vector);
      const plain = await collect(reader);
      if (vector.plaintext) assert.equal(sha256(plain), vector.plaintext.sha256);
      const summary = reader.summary();
      assert.equal(summary.content_sha256, sha256(plain));
      assert.equal(summary.checksum, vector.file_sha256);
      assert.equal(summary.sealed, false);
      const description = await describeFile(memorySource(readFileSync(root + vector.file)), [
        parseKey(vector.key_hex),
      ]);
      assert.equal(description.sealed, false);
      assert.equal(description.key_id, summary.key_id);
    });
  }

  for (const vector of vectors.filter(({ file, ok }) => !ok && !(file in ACCEPTED_HERE))) {
    test(`rejects ${vector.file}`, async () => {
      const code = EXPECTED_CODES[vector.file];
      assert.ok(code, 'no expected code in vectors.ts');
      await assert.rejects(readFully(vector), { code });
    });
  }

  for (const vector of vectors.filter(({ archive }) => archive)) {
    test(`reads the rows of ${vector.file}`, async () => {
      const counts = { data_lines: 0, empty_raw_skipped: 0, malformed_lines_skipped: 0, raw_logs: 0 };
      const [joined, prefixed] = [createHash('sha256'), createHash('sha256')];
      for await (const block of archiveLines(content(vector, 777))) {
        counts.data_lines += block.lines;
        for (const line of blockLines(block)) {
          const row = parseLine(line);
          if ('malformed' in row) counts.malformed_lines_skipped++;
          else if (row.raw.length === 0) counts.empty_raw_skipped++;
          else {
            counts.raw_logs++;
            const raw = asServerReads(row.raw);
            const length = Buffer.alloc(4);
            length.writeUInt32BE(raw.length);
            joined.update(raw).update('\n');
            prefixed.update(length).update(raw);
          }
        }
      }
      const { raw_nl_sha256, raw_lp_sha256, ...wanted } = vector.archive as NonNullable<Vector['archive']>;
      assert.deepEqual(counts, wanted);
      assert.equal(joined.digest('hex'), raw_nl_sha256);
      assert.equal(prefixed.digest('hex'), raw_lp_sha256);
    });
  }

  for (const vector of vectors.filter(({ backup }) => backup)) {
    test(`splits ${vector.file}`, async () => {
      const { manifest, dump } = await splitBackup(content(vector, 100));
      assert.equal(sha256(await collect(dump)), vector.backup?.dump_sha256);
      const { env_vars, version } = vector.manifest ?? {};
      if (vector.manifest) assert.deepEqual({ ...manifest.env_vars }, env_vars ?? {});
      if (version) assert.equal(manifest.version, version);
    });
  }
});

// Nothing in these files shows that rows are missing; only the catalog record can.
for (const file of [
  'd-tampered/stream-trunc-forged-sentinel.bin',
  'd-tampered/small-aligned-frames-truncated.bifract-archive',
]) {
  test(`${file} passes as complete: it has no trailer`, async () => {
    const vector = vectors.find((one) => one.file === file) as Vector;
    assert.equal(vector.ok, true);
    await readFully(vector);
  });
}
