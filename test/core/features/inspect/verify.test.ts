import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, test } from 'node:test';
import { BifractError } from '../../../../src/core/contract/errors.ts';
import type { Target } from '../../../../src/core/features/files/target.ts';
import { verify } from '../../../../src/core/features/inspect/verify.ts';
import { verifyFile } from '../../../../src/core/features/inspect/verify-file.ts';
import { keyId, parseKey } from '../../../../src/core/format/index.ts';
import { FakeState, jobContext } from '../../../helpers/fake-ports.ts';
import { fakeServices } from '../../../helpers/fake-services.ts';
import { MemoryStorage } from '../../../helpers/memory-storage.ts';
import { archiveLine, KEY, OTHER_KEY } from '../../../helpers/sealed.ts';
import { inPieces } from '../../../helpers/streams.ts';
import {
  archiveRecord,
  FILE_PATH,
  numberedLines,
  sealedArchive,
  storedTarget,
} from '../../../helpers/targets.ts';
import { EXPECTED_CODES, loadVectors, vectorBytes } from '../../../helpers/vectors.ts';

const FULL = { keys: [KEY], quick: false };
const QUICK = { keys: [KEY], quick: true };
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

function recordFor(bytes: Buffer, rows: number) {
  return archiveRecord({
    size_bytes: bytes.length,
    log_count: rows,
    checksum: sha256(bytes),
    time_range_start: '2026-03-01T00:00:00Z',
    time_range_end: `2026-03-01T00:00:00.${String(rows - 1).padStart(3, '0')}Z`,
  });
}

suite('one file', () => {
  test('header and trailer prove that a file is complete', async () => {
    const bytes = await sealedArchive(numberedLines(50));
    const item = await verifyFile(await storedTarget(bytes), FULL);
    assert.equal(item.error, undefined);
    assert.deepEqual([item.ok, item.proven, item.sealed, item.rows], [true, true, true, 50]);
    assert.equal(item.checksum, sha256(bytes));
    assert.match(item.notes.join(' '), /bifract adopt/);
  });

  test('a file that matches its record has no notes', async () => {
    const bytes = await sealedArchive(numberedLines(50));
    const target = await storedTarget(bytes, { record: recordFor(bytes, 50) });
    const item = await verifyFile(target, FULL);
    assert.deepEqual([item.ok, item.notes, item.error], [true, [], undefined]);
    assert.equal((await verifyFile(target, QUICK)).ok, true);
  });

  const differing: [
    what: string,
    given: Partial<ReturnType<typeof archiveRecord>>,
    code: string,
    quick: boolean,
  ][] = [
    ['size', { size_bytes: 7 }, 'RECORD_DIFFERS', true],
    ['count', { log_count: 49 }, 'COUNT_DIFFERS', true],
    ['checksum', { checksum: 'ab'.repeat(32) }, 'CHECKSUM_DIFFERS', false],
    ['first time', { time_range_start: '2026-03-01T00:00:01Z' }, 'RECORD_DIFFERS', true],
    ['last time', { time_range_end: '2026-03-01T00:00:00.052Z' }, 'RECORD_DIFFERS', true],
    ['fractal', { fractal_id: 'ffffffff-2222-4333-8444-555555555555' }, 'RECORD_DIFFERS', true],
  ];
  for (const [what, given, code, found_quickly] of differing) {
    test(`a record with a different ${what} is reported`, async () => {
      const bytes = await sealedArchive(numberedLines(50));
      const target = await storedTarget(bytes, { record: { ...recordFor(bytes, 50), ...given } });
      const item = await verifyFile(target, FULL);
      assert.deepEqual([item.ok, item.error?.code, item.rows], [false, code, 50]);
      assert.equal((await verifyFile(target, QUICK)).ok, !found_quickly);
    });
  }

  test('invalid lines are damage, counted and the first ones listed', async () => {
    const bad = [
      Buffer.from('{"ts":"2026"}\n'),
      Buffer.from('none\n'),
      Buffer.from('{}x\n'),
      Buffer.from('[]\n'),
    ];
    const item = await verifyFile(
      await storedTarget(await sealedArchive([archiveLine(0), ...bad, archiveLine(1)])),
      FULL,
    );
    assert.equal(item.error?.code, 'DAMAGED');
    assert.match(item.error?.message ?? '', /4 of 6\b.*line 3: .*line 4: .*line 5: /);
  });

  test('a wrong key is reported as WRONG_KEY, quick or not', async () => {
    const target = await storedTarget(await sealedArchive(numberedLines(10)));
    for (const quick of [false, true]) {
      const { error } = await verifyFile(target, { keys: [OTHER_KEY], quick });
      assert.equal(error?.code, 'WRONG_KEY');
    }
  });

  test('a truncated file is never ok, quick or not', async () => {
    const bytes = await sealedArchive(numberedLines(20));
    for (let length = 0; length < bytes.length; length += 41) {
      const target = await storedTarget(bytes.subarray(0, length));
      for (const options of [FULL, QUICK])
        assert.equal((await verifyFile(target, options)).ok, false, `${length}`);
    }
  });

  test('a file that changes while it is read is reported as BUSY', async () => {
    const storage = new MemoryStorage();
    const target = await storedTarget(await sealedArchive(numberedLines(20)), { storage });
    const changed: Target = { ...target, object: { ...target.object, modified_at: '2020-01-01T00:00:00Z' } };
    assert.equal((await verifyFile(changed, FULL)).error?.code, 'BUSY');
    await storage.delete(FILE_PATH);
    assert.equal((await verifyFile(target, FULL)).error?.code, 'NOT_FOUND');
  });

  test('an archive being written is not verified', async () => {
    const bytes = await sealedArchive(numberedLines(5));
    const record = { ...recordFor(bytes, 5), status: 'in_progress' as const };
    assert.equal((await verifyFile(await storedTarget(bytes, { record }), FULL)).error?.code, 'BUSY');
  });
});

suite('the job', () => {
  const intact = () => sealedArchive(numberedLines(5));
  const broken = async () => {
    const bytes = await intact();
    bytes[100] = (bytes[100] as number) ^ 1;
    return bytes;
  };
  /** Verifies files of these names and contents; those without content are missing. */
  const run = async (files: Record<string, Buffer | undefined>, context = jobContext()) => {
    const archives = new MemoryStorage();
    for (const [name, bytes] of Object.entries(files))
      if (bytes) await archives.put(name, inPieces(bytes, 65_536));
    const backups = new MemoryStorage();
    const localFile = async (name: string) => ({ storage: backups, name });
    const state = new FakeState();
    const services = fakeServices({
      state,
      archives,
      backups,
      localFile,
      keys: [KEY],
      storageOf: async () => undefined,
    });
    return {
      job: verify(services, { kind: 'verify', targets: Object.keys(files) }, context),
      context,
      state,
    };
  };

  test('remembers what it found of each file, but not that a server does not answer', async () => {
    const bytes = await intact();
    const damaged = Buffer.from(bytes);
    damaged[bytes.length >> 1] = (damaged[bytes.length >> 1] ?? 0) ^ 1;
    const { job, state } = await run({ a: bytes, b: damaged, gone: undefined });
    await assert.rejects(job, { code: 'PARTLY_DONE' });
    const [a, b, gone] = state.checked;
    assert.ok(a && b && gone);
    assert.deepEqual([a.kind, a.error, a.size_bytes, a.key_id], ['verify', null, bytes.length, keyId(KEY)]);
    assert.match(a.checksum ?? '', /^[0-9a-f]{64}$/);
    assert.match(a.uuid ?? '', /^[0-9a-f-]{36}$/);
    assert.ok(a.path.endsWith('/a'));
    assert.deepEqual([b.error?.code, b.checksum, b.size_bytes], ['DAMAGED', null, bytes.length]);
    assert.deepEqual([gone.error?.code, gone.path, gone.size_bytes], ['NOT_FOUND', 'gone', null]);
    const other = await run({ a: bytes });
    other.state.addChecks = async () => {
      throw new BifractError('STORAGE_FULL', 'The disk is full');
    };
    await other.job;
    const warnings = other.context.events.filter(({ event }) => event === 'job:warning');
    assert.equal(warnings.length, 1, 'verified all the same');
  });

  test('reports each file and the totals', async () => {
    const { job, context } = await run({ a: await intact(), b: await intact() });
    const summary = await job;
    assert.deepEqual([summary.files, summary.proven, summary.rows], [2, 2, 10]);
    const items = context.events.filter(({ event }) => event === 'job:item');
    assert.equal(items.length, 2);
    const progress = context.events.filter(({ event }) => event === 'job:progress');
    assert.ok(progress.length > 0);
  });

  test('a single failed file keeps its own code', async () => {
    await assert.rejects((await run({ x: await broken() })).job, { code: 'DAMAGED' });
    await assert.rejects((await run({ gone: undefined })).job, { code: 'NOT_FOUND' });
  });

  test('failed files are named, and the others are verified', async () => {
    const { job, context } = await run({ gone: undefined, a: await intact(), x: await broken() });
    await assert.rejects(job, {
      code: 'PARTLY_DONE',
      message: /2 of 3.*gone.*\/x/,
    });
    const items = context.events.flatMap((event) => (event.event === 'job:item' ? [event.ok] : []));
    assert.deepEqual(items, [false, true, false]);
  });

  test('if all files fail, the first code is used', async () => {
    await assert.rejects((await run({ x: await broken(), gone: undefined })).job, {
      code: 'DAMAGED',
      message: /\b2\b.*\/x.*gone/,
    });
  });

  test('an abort rejects with its reason', async () => {
    const controller = new AbortController();
    const reason = new BifractError('CANCELLED', 'enough');
    const context = jobContext(controller.signal);
    const { job } = await run(
      { a: await intact() },
      {
        ...context,
        emit: (event, payload) => {
          context.emit(event, payload);
          if (event === 'job:phase') controller.abort(reason);
        },
      },
    );
    await assert.rejects(job, reason);
  });
});

/** Vectors that are valid backups around something that is not a dump: they can be read, and not restored. */
const NOT_A_DUMP: Record<string, string> = {
  'b-backup/big-dump.bifract-backup': 'DAMAGED',
  'b-backup/empty-dump.bifract-backup': 'CUT_OFF',
  'b-backup/empty-env.bifract-backup': 'CUT_OFF',
  'b-backup/null-env.bifract-backup': 'CUT_OFF',
  'b-backup/pretty-manifest.bifract-backup': 'CUT_OFF',
  'b-backup/two-separators.bifract-backup': 'DAMAGED',
};

suite('files of the server', () => {
  for (const vector of loadVectors().filter(({ kind }) => kind !== 'stream')) {
    const { file, key_hex, archive } = vector;
    // Lines that the server skips silently are damage to a verification.
    const code =
      EXPECTED_CODES[file] ?? NOT_A_DUMP[file] ?? (archive?.malformed_lines_skipped ? 'DAMAGED' : undefined);
    test(`${file} is ${code ?? 'intact'}`, async () => {
      const bytes = vectorBytes(vector);
      const options = { keys: [parseKey(key_hex)], quick: false };
      const item = await verifyFile(await storedTarget(bytes, { name: file }), options);
      assert.equal(item.error?.code, code);
      assert.equal(item.proven, false);
      if (code !== undefined) return;
      assert.equal(item.sealed, false);
      assert.ok(item.notes.length > 0, 'a note about completeness');
      if (archive) assert.equal(item.rows, archive.data_lines);
      if (file.startsWith('b-backup')) return;
      const record = archiveRecord({
        size_bytes: bytes.length,
        log_count: item.rows ?? 0,
        checksum: sha256(bytes),
      });
      const proven = await verifyFile(await storedTarget(bytes, { name: file, record }), options);
      assert.deepEqual([proven.ok, proven.proven], [true, true]);
    });
  }

  test('a quick verification detects a missing end marker', async () => {
    const vector = loadVectors().find(({ file }) => file.endsWith('c-archive/lines-5000.bifract-archive'));
    assert.ok(vector);
    const options = { keys: [parseKey(vector.key_hex)], quick: true };
    const bytes = vectorBytes(vector);
    assert.equal((await verifyFile(await storedTarget(bytes), options)).ok, true);
    for (const cut of [1, 4, 20, 70_000]) {
      const item = await verifyFile(await storedTarget(bytes.subarray(0, -cut)), options);
      assert.equal(item.error?.code, 'CUT_OFF', `${cut}`);
    }
  });

  test('a file without its last chunks is detected by its record', async () => {
    const vectors = loadVectors();
    const cut = vectors.find(({ file }) => file.includes('small-aligned-frames-truncated'));
    const whole = vectors.find(({ file }) => file.endsWith('small-aligned-frames.bifract-archive'));
    assert.ok(cut && whole);
    const record = archiveRecord({
      size_bytes: vectorBytes(cut).length,
      log_count: whole.archive?.data_lines ?? -1,
    });
    const item = await verifyFile(await storedTarget(vectorBytes(cut), { record }), {
      keys: [parseKey(cut.key_hex)],
      quick: false,
    });
    assert.equal(item.error?.code, 'COUNT_DIFFERS');
  });
});
