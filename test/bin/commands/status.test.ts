import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readStatus } from '../../../bin/commands/status.ts';
import { statusLines } from '../../../bin/output/status-lines.ts';
import { BifractError } from '../../../src/core/index.ts';
import { FakeEngine, fakeArchive, fakeBackup, fakeFractal } from '../../helpers/fake-engine.ts';

test('the last archive of a fractal counts all files of its group', async () => {
  const [web, db, none] = ['web', 'db', 'none'].map((name, index) => fakeFractal(index + 1, { name }));
  assert.ok(web && db && none);
  const archives = [
    fakeArchive(1, web, { group_id: 'g-2', log_count: 1 }),
    fakeArchive(2, web, { group_id: 'g-2', log_count: 60_000 }),
    fakeArchive(3, web, { group_id: 'g-2', log_count: 500, status: 'failed' }),
    fakeArchive(4, web, { group_id: 'g-1', log_count: 7 }),
    fakeArchive(5, db, { group_id: null, log_count: 1 }),
    fakeArchive(6, db, { group_id: null, log_count: 40 }),
  ];
  const status = await readStatus(new FakeEngine({ fractals: [web, db, none], archives }));
  assert.deepEqual(
    status.fractals.map(({ last_archive_whole }) => last_archive_whole),
    [{ files: 2, rows: 60_001 }, { files: 1, rows: 1 }, null],
  );
  const lines = statusLines(status);
  const line = (name: string) => lines.find((one) => one.startsWith(`${name} `)) ?? '';
  assert.match(line('web'), /Z {2}60,001 logs in 2 files /);
  assert.match(line('db'), /Z {2}1 log /);
  assert.match(line('none'), / none /);
});

test('what cannot be loaded does not look safe', async () => {
  const engine = new FakeEngine({ backups: [fakeBackup(0.1)] });
  engine.fractals = async () => {
    throw new BifractError('QUERY_FAILED', 'No such column');
  };
  const { verdict } = await readStatus(engine);
  assert.equal(verdict.safety, 'unknown');
  assert.equal(verdict.last_good_backup?.name, engine.data.backups[0]?.name);
});
