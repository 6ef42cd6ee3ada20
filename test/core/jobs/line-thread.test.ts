import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineChecker } from '../../../src/core/format/index.ts';
import { LineThread } from '../../../src/core/jobs/line-thread.ts';
import { verifyFile } from '../../../src/core/jobs/verify-file.ts';
import { archiveLine, KEY, noisyLines } from '../../helpers/sealed.ts';
import { sealedArchive, stored } from '../../helpers/targets.ts';

test('a thread judges as the checker does, blocks longer than its buffers included', async () => {
  const blocks = [
    Buffer.concat([archiveLine(0), Buffer.from('oops\n')]),
    archiveLine(1, 'x'.repeat(5_000_000)),
    ...Array.from({ length: 50 }, (_, index) =>
      Buffer.concat([archiveLine(index + 2), Buffer.from('{"ts":1}\n')]),
    ),
  ];
  const checker = new LineChecker();
  const thread = new LineThread();
  try {
    for (const block of blocks) {
      checker.add(block);
      await thread.add(block);
    }
    assert.deepEqual(await thread.finish(), checker.totals);
    assert.equal(thread.rows, 103);
  } finally {
    await thread.close();
  }
});

test('a file that is worth a thread is judged by one', async () => {
  const lines = noisyLines(0, 24_000, 800);
  const sound = await stored(await sealedArchive(lines));
  assert.ok(sound.object.size_bytes > 8 * 1024 * 1024, `${sound.object.size_bytes}`);
  const item = await verifyFile(sound, { keys: [KEY], quick: false });
  assert.deepEqual([item.ok, item.rows], [true, 24_000]);
  lines[23_000] = Buffer.from('oops\n');
  const bad = await verifyFile(await stored(await sealedArchive(lines)), { keys: [KEY], quick: false });
  assert.match(bad.error?.message ?? '', /1 of its 24000 lines is no row \(line 23002: /);
});
