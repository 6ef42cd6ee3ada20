import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { findChdb } from '../../bin/demo/clickhouse.ts';
import { demoEnvironment } from '../../bin/demo/environment.ts';
import { findPostgres, newestOf } from '../../bin/demo/postgres-programs.ts';

let root = '';
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'bifract-test-'));
});
after(() => rm(root, { recursive: true, force: true }));

async function install(folder: string, version: string): Promise<string> {
  const bin = join(root, folder, 'bin');
  await mkdir(bin, { recursive: true });
  for (const name of ['initdb', 'postgres']) {
    await writeFile(join(bin, name), `#!/bin/sh\necho "${name} (PostgreSQL) ${version}"\n`);
    await chmod(join(bin, name), 0o755);
  }
  return bin;
}

test('the newest PostgreSQL is found, in PATH or the usual folders', async () => {
  const in_path = await install('mine', '15.9');
  const usual = await install('pg-16', '15.10');
  await install('pg-12', '12.22');
  const patterns = [join(root, 'pg-*/bin')];
  assert.deepEqual(await findPostgres(in_path, patterns), { bin: usual, version: '15.10' });
  assert.deepEqual(await findPostgres(in_path, []), { bin: in_path, version: '15.9' });
  assert.equal(newestOf([{ bin: 'broken', version: '' }]), undefined);
});

test('a missing program is PROGRAM_MISSING, with install commands as a hint', async () => {
  await assert.rejects(findPostgres('', [join(root, 'none-*/bin')]), (error: Error & { hint: string }) => {
    assert.equal((error as { code?: string }).code, 'PROGRAM_MISSING');
    assert.match(error.hint, /apt-get install postgresql.*brew install postgresql/);
    return true;
  });
  assert.throws(() => findChdb('file:///nowhere/program.js'), {
    code: 'PROGRAM_MISSING',
    hint: /npm i -g chdb/,
  });
});

test('variables of another installation do not reach the demo', () => {
  const environment = demoEnvironment(
    {
      HOME: '/h',
      PATH: '/usr/bin',
      PGHOST: 'x',
      PGPASSWORD: 'x',
      POSTGRES_DB: 'x',
      CLICKHOUSE_URL: 'x',
      BIFRACT_S3_BUCKET: 'x',
    },
    '/demo',
    ['/ours', '/pg'],
  );
  assert.deepEqual(environment, { HOME: '/h', PATH: '/ours:/pg:/usr/bin', BIFRACT_DIR: '/demo' });
});
