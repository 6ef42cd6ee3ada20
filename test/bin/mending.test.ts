import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orphanTable } from '../../bin/print/mending.ts';
import { fakeOrphan } from '../helpers/fake-archive.ts';

test('orphans fit a narrow terminal but for their path, which stands whole on a line of its own', () => {
  const file = fakeOrphan('file', 3, {
    path: `/var/lib/docker/volumes/${'x'.repeat(90)}`,
    size_bytes: 2 ** 40,
  });
  const title = 'Unfinished file, perhaps of a run on another machine';
  const lines = orphanTable([file, fakeOrphan('leftover', 4, { title, actions: [] })]);
  const waiting = orphanTable([fakeOrphan('leftover', 5, { goes_on: true })]);
  assert.match(waiting[2] ?? '', /same archive call goes on with it; `bifract clean` removes it$/);
  assert.ok((waiting[1]?.length ?? 99) < 80 && (waiting[2]?.length ?? 99) < 80);
  assert.equal(lines.length, 6);
  assert.equal(lines[2], `  ${file.path}`);
  assert.match(lines[1] ?? '', /^ {2}1\.0+ TiB, since .*Z, remedy: bifract adopt$/);
  for (const line of [lines[0], lines[1], lines[3], lines[4]])
    assert.ok(line !== undefined && line.length <= 80, line ?? 'missing');
});
