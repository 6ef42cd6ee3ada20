import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { describeTarget } from '../../../../src/core/features/inspect/show.ts';
import { backupManifest, parseKey, writeBackup } from '../../../../src/core/format/index.ts';
import type { Storage } from '../../../../src/core/ports/storage.ts';
import { FRACTAL_ID } from '../../../helpers/fake-ports.ts';
import { KEY, noisyLines, OTHER_KEY } from '../../../helpers/sealed.ts';
import { collect, inPieces } from '../../../helpers/streams.ts';
import {
  archiveRecord,
  numberedLines,
  sealedArchive,
  serverArchive,
  storedTarget,
} from '../../../helpers/targets.ts';
import { EXPECTED_CODES, loadVectors, vectorBytes } from '../../../helpers/vectors.ts';

async function sealedBackup(): Promise<Buffer> {
  const manifest = backupManifest({
    version: '1.0.0',
    timestamp: '2026-03-01T12:00:00Z',
    env_vars: { POSTGRES_PASSWORD: 'hunter2', BIFRACT_PORT: '8080' },
    bifract_console: {
      format: 1,
      tool: 'bifract-console 1.0.0',
      server_version: '16.0',
      pg_dump_version: '16.1',
      database: 'bifract',
      tables: [
        { schema: 'public', name: 'users', rows: 3, crc32: 0, size_bytes: 8192 },
        { schema: 'public', name: 'large', rows: 4, size_bytes: 1 << 30 },
      ],
    },
  });
  const dump = inPieces(Buffer.alloc(3_000_000, 'dump'), 65_536);
  return collect(writeBackup(manifest, dump, { key: KEY, head: { tool: 'bifract-console 1.0.0' } }).bytes);
}

/** Counts the bytes read. */
function counting(storage: Storage): { storage: Storage; bytes: () => number } {
  let bytes = 0;
  const read: Storage['read'] = async (...range) => {
    const part = await storage.read(...range);
    bytes += part.length;
    return part;
  };
  const proxy = new Proxy(storage, {
    get: (target, key) => {
      if (key === 'read') return read;
      if (key === 'stream') throw new Error('must not stream');
      const value = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { storage: proxy, bytes: () => bytes };
}

suite('sealed files', () => {
  test('an archive is described by header and trailer, with a few small reads', async () => {
    const bytes = await sealedArchive(noisyLines(0, 8000, 800));
    const target = await storedTarget(bytes);
    const counted = counting(target.storage);
    const report = await describeTarget({ ...target, storage: counted.storage }, [KEY]);
    assert.deepEqual([report.kind, report.sealed, report.rows, report.fields], ['archive', true, 8000, true]);
    assert.deepEqual(report.fractal, { id: FRACTAL_ID, name: 'web-prod' });
    assert.equal(report.size_bytes, bytes.length);
    assert.ok(counted.bytes() < bytes.length / 10, `${counted.bytes()} of ${bytes.length}`);
  });

  test('a difference from the record is noted', async () => {
    const bytes = await sealedArchive(numberedLines(10));
    const agreeing = archiveRecord({ size_bytes: bytes.length, log_count: 10 });
    assert.deepEqual(
      (await describeTarget(await storedTarget(bytes, { record: agreeing }), [KEY])).notes,
      [],
    );
    const { notes } = await describeTarget(
      await storedTarget(bytes, { record: { ...agreeing, log_count: 11 } }),
      [KEY],
    );
    assert.match(notes.join(), /\b10\b.*\b11\b/);
  });

  test('a backup is described by its manifest, without the values of its variables', async () => {
    const target = await storedTarget(await sealedBackup(), {
      name: 'bifract-backup-20260301-120000.bifract-backup',
    });
    const report = await describeTarget({ ...target, storage: counting(target.storage).storage }, [KEY]);
    assert.deepEqual(report.backup?.tables, [
      { schema: 'public', name: 'users', rows: 3, checksum: true },
      { schema: 'public', name: 'large', rows: 4, checksum: false },
    ]);
    assert.deepEqual(report.backup?.variables, ['BIFRACT_PORT', 'POSTGRES_PASSWORD']);
    assert.equal(report.backup?.pg_dump_version, '16.1');
    assert.equal(report.rows, null);
    assert.ok(!JSON.stringify(report).includes('hunter2'));
  });

  test('a wrong key is reported as WRONG_KEY', async () => {
    await assert.rejects(describeTarget(await storedTarget(await sealedBackup()), [OTHER_KEY]), {
      code: 'WRONG_KEY',
    });
  });
});

suite('files of the server', () => {
  for (const vector of loadVectors().filter(
    ({ kind, file }) => kind !== 'stream' && !(file in EXPECTED_CODES),
  )) {
    test(`${vector.file} is described by its head`, async () => {
      const target = await storedTarget(vectorBytes(vector), { name: vector.file });
      const report = await describeTarget({ ...target, storage: counting(target.storage).storage }, [
        parseKey(vector.key_hex),
      ]);
      assert.equal(report.kind, vector.kind === 'backup' ? 'backup' : 'archive');
      assert.deepEqual([report.sealed, report.rows], [false, null]);
      assert.match(report.notes.join(), /bifract verify/);
      if (vector.kind === 'backup') assert.equal(typeof report.backup?.version, 'string');
    });
  }

  test('a file with a first line longer than the head is still described', async () => {
    const vector = loadVectors().find(({ file }) => file.includes('line-of-10485760'));
    assert.ok(vector);
    const target = await storedTarget(vectorBytes(vector), { name: vector.file });
    assert.equal((await describeTarget(target, [parseKey(vector.key_hex)])).kind, 'archive');
  });

  // Large frames are decompressed in pieces, smaller ones at once.
  for (const bytes of [12_000_000, 20_000_000]) {
    test(`a first line of ${bytes} bytes is too long for the head, with a note`, async () => {
      const [long] = noisyLines(0, 1, bytes);
      const report = await describeTarget(await storedTarget(serverArchive([long as Buffer])), [KEY]);
      assert.deepEqual([report.kind, report.first], ['archive', null]);
      const short = await describeTarget(await storedTarget(serverArchive(numberedLines(1))), [KEY]);
      assert.notEqual(short.first, null);
      assert.equal(report.notes.length, short.notes.length + 1);
    });
  }
});
