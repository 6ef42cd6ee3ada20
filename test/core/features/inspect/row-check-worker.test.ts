import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RowCheckWorker } from '../../../../src/core/features/inspect/row-check-worker.ts';
import { verifyFile } from '../../../../src/core/features/inspect/verify-file.ts';
import { LineChecker, RowDigester } from '../../../../src/core/format/index.ts';
import { archiveLine, KEY, noisyLines } from '../../../helpers/sealed.ts';
import { sealedArchive, storedTarget } from '../../../helpers/targets.ts';

test('the worker agrees with the checker, also for blocks longer than its buffers', async () => {
  const blocks = [
    Buffer.concat([archiveLine(0), Buffer.from('oops\n')]),
    archiveLine(1, 'x'.repeat(5_000_000)),
    ...Array.from({ length: 50 }, (_, index) =>
      Buffer.concat([archiveLine(index + 2), Buffer.from('{"ts":1}\n')]),
    ),
  ];
  const checker = new LineChecker();
  const worker = RowCheckWorker.check();
  try {
    for (const block of blocks) {
      checker.add(block);
      await worker.add(block);
    }
    assert.deepEqual(await worker.finish(), checker.totals);
    assert.equal(worker.rows, 103);
  } finally {
    await worker.close();
  }
});

test('the worker agrees with the digester', async () => {
  const options = { range: undefined, salt: Buffer.alloc(16, 7), line: true };
  const digester = new RowDigester(options);
  const worker = RowCheckWorker.digest(options);
  try {
    for (const line of [archiveLine(0), archiveLine(1, 'x'.repeat(5_000_000)), Buffer.from('oops\n')]) {
      digester.add(line);
      await worker.add(line);
    }
    assert.deepEqual(await worker.finish(), digester.finish());
    assert.equal(worker.rows, 2);
  } finally {
    await worker.close();
  }
});

test('a large file is checked by a worker', async () => {
  const lines = noisyLines(0, 24_000, 800);
  const intact = await storedTarget(await sealedArchive(lines));
  assert.ok(intact.object.size_bytes > 8 * 1024 * 1024, `${intact.object.size_bytes}`);
  const item = await verifyFile(intact, { keys: [KEY], quick: false });
  assert.deepEqual([item.ok, item.rows], [true, 24_000]);
  lines[23_000] = Buffer.from('oops\n');
  const bad = await verifyFile(await storedTarget(await sealedArchive(lines)), { keys: [KEY], quick: false });
  assert.equal(bad.error?.code, 'DAMAGED');
  assert.match(bad.error?.message ?? '', /1 of 24000.*line 23002: /);
});
