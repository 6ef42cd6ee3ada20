import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { findChdb } from '../../bin/demo/clickhouse.ts';
import { isSafe, restrictEnvironment } from '../../bin/trusted.ts';

const dir = await realpath(await mkdtemp(join(tmpdir(), 'bifract-trusted-')));
after(() => rm(dir, { recursive: true, force: true }));

async function folder(name: string, mode = 0o755): Promise<string> {
  const path = join(dir, name);
  await mkdir(path);
  await chmod(path, mode);
  return path;
}

test('a path is safe if nobody else can change it, or what is above it or behind it', async () => {
  const own = await folder('own');
  const open = await folder('open', 0o777);
  const sticky = await folder('sticky', 0o1777);
  await mkdir(join(open, 'below'));
  await mkdir(join(sticky, 'below'));
  await symlink(open, join(own, 'link'));
  await symlink(own, join(open, 'link'));
  await symlink(own, join(own, 'self'));
  const unsafe = [
    open,
    sticky,
    join(open, 'below'),
    join(own, 'link'),
    join(open, 'link'),
    join(own, 'missing'),
  ];
  assert.deepEqual(
    [own, join(sticky, 'below'), join(own, 'self'), '/'].filter((path) => !isSafe(path)),
    [],
  );
  assert.deepEqual(unsafe.filter(isSafe), []);
});

test('folders in PATH that depend on the working directory are removed; for root those of others, too', async () => {
  const own = await folder('path');
  const open = await folder('path-open', 0o777);
  const env = { PATH: ['.', own, '', 'bin', open, dirname(process.execPath)].join(delimiter) };
  restrictEnvironment(env);
  const isRoot = process.getuid?.() === 0;
  assert.deepEqual(env.PATH.split(delimiter), [own, ...(isRoot ? [] : [open]), dirname(process.execPath)]);
});

test('a PATH of which nothing is left does not become the working directory', () => {
  for (const path of ['', '.', ':', join('bin', 'sub')]) {
    const env = { PATH: path };
    restrictEnvironment(env);
    const folders = env.PATH.split(delimiter);
    assert.deepEqual(
      folders.filter((one) => !one.startsWith('/')),
      [],
      path,
    );
  }
});

test('root does not use the settings of another user', async () => {
  const own = await folder('home');
  const open = await folder('home-open', 0o777);
  const env: NodeJS.ProcessEnv = { HOME: own, XDG_CONFIG_HOME: own, DOCKER_CONFIG: join(own, 'missing') };
  const kept = { ...env };
  restrictEnvironment(env);
  assert.deepEqual(env, kept);
  const foreign: NodeJS.ProcessEnv = { HOME: open, XDG_CONFIG_HOME: open, DOCKER_CONFIG: open };
  restrictEnvironment(foreign);
  const isRoot = process.getuid?.() === 0;
  assert.equal(foreign.HOME === open, !isRoot);
  assert.deepEqual(
    [foreign.XDG_CONFIG_HOME, foreign.DOCKER_CONFIG],
    isRoot ? [undefined, undefined] : [open, open],
  );
});

test('the demo does not load its library from the working directory', async () => {
  const library = join(await folder('work'), 'node_modules', 'chdb');
  await mkdir(library, { recursive: true });
  await writeFile(join(library, 'index.js'), '');
  const before = process.cwd();
  process.chdir(join(dir, 'work'));
  try {
    assert.throws(() => findChdb('file:///nowhere/program.js'), { code: 'PROGRAM_MISSING' });
  } finally {
    process.chdir(before);
  }
});
