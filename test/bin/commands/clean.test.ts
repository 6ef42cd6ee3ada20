import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orphanLines } from '../../../bin/commands/clean.ts';
import { fakeOrphan } from '../../helpers/fake-archive.ts';

test('orphans fit a narrow terminal, except for the full path on its own line', () => {
  const file = fakeOrphan('file', 3, {
    path: `/var/lib/docker/volumes/${'x'.repeat(90)}`,
    size_bytes: 2 ** 40,
  });
  const title = 'Unfinished file of a job, perhaps on another machine';
  const lines = orphanLines([file, fakeOrphan('leftover', 4, { title, actions: [] })]);
  const resumable = orphanLines([fakeOrphan('leftover', 5, { goes_on: true })]);
  assert.match(resumable[2] ?? '', /`bifract clean`/);
  assert.ok((resumable[1]?.length ?? 99) < 80 && (resumable[2]?.length ?? 99) < 80);
  assert.equal(lines.length, 6);
  assert.equal(lines[2], `  ${file.path}`);
  assert.match(lines[1] ?? '', /^ {2}1\.0+ TiB, since .*Z, .*bifract adopt$/);
  for (const line of [lines[0], lines[1], lines[3], lines[4]])
    assert.ok(line !== undefined && line.length <= 80, line ?? 'missing');
});
