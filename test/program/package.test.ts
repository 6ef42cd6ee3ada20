import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '../..');
const exec = promisify(execFile);

test('the packed package runs after npm install, without the dependencies of the demo', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bifract-pack-'));
  after(() => rm(folder, { recursive: true, force: true }));
  const packed = await exec('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: ROOT,
  });
  const [{ filename, files }] = JSON.parse(packed.stdout) as [
    { filename: string; files: { path: string }[] },
  ];
  const paths = files.map(({ path }) => path);
  for (const wanted of ['dist/bifract.js', 'README.md', 'LICENSE', 'docs/reference/format.md'])
    assert.ok(paths.includes(wanted), wanted);
  assert.deepEqual(
    paths.filter((path) => /^(src|test|bench|bin|docs\/dev)\//.test(path)),
    [],
  );

  const prefix = join(folder, 'prefix');
  await exec(
    'npm',
    [
      'install',
      '--global',
      '--prefix',
      prefix,
      '--no-audit',
      '--no-fund',
      '--prefer-offline',
      join(folder, filename),
    ],
    { cwd: folder },
  );
  const modules = await readdir(join(prefix, 'lib/node_modules/bifract-console/node_modules'));
  assert.ok(!modules.includes('chdb') && modules.includes('pg'));
  const program = join(prefix, 'bin/bifract');
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  assert.equal((await exec(program, ['--version'])).stdout, `${version}\n`);
  assert.match((await exec(program, ['--help'])).stdout, /Usage: bifract/);
  const demo = await exec(program, ['demo', '--exec', 'true'], { cwd: folder }).catch((error) => error);
  assert.equal(demo.code, 4, demo.stderr);
  assert.match(demo.stderr, /chdb/);
  const missing = await exec(program, ['status', '--dir', folder]).catch((error) => error);
  assert.equal(missing.code, 3, missing.stderr);
});
