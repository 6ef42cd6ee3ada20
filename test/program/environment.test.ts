import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { testServices } from '../helpers/services.ts';

const services = await testServices();
const dir = await mkdtemp(join(tmpdir(), 'bifract-environment-'));
after(() => rm(dir, { recursive: true, force: true }));

const program = join(import.meta.dirname, '../../dist/bifract.js');
const node = process.execPath;

/** Runs a shell script with `$bifract`; its output. */
async function shell(script: string, env: Record<string, string>): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', ['-ec', script], {
    env: { PATH: process.env.PATH ?? '', HOME: dir, ...env },
    cwd: dir,
  });
  return stdout;
}

test('everything works in a working directory that was removed', async () => {
  const { dir: install } = await services.installation();
  const gone = join(dir, 'gone');
  const run = (args: string) =>
    shell(`mkdir ${gone}; cd ${gone}; rmdir ${gone}; exec ${node} ${program} ${args}`, {
      BIFRACT_DIR: install,
    });
  assert.match(await run('--version'), /^\d/);
  assert.match(await run('--help'), /backup/);
  assert.match(await run('backup --json'), /"event":"job:done"/);
  assert.match(await run('verify --all --json'), /"event":"job:done"/);
  const id = (await run('backup --detach --json')).match(/"(?:job|id)":"([^"]+)"/)?.[1];
  assert.ok(id);
  assert.match(await run(`attach ${id} --json`), /"event":"job:done"/);
  await assert.rejects(run('status --dir here'), { code: 3 });
});

test('programs are not taken from the working directory, nor by root from a folder of others', async () => {
  const { dir: install } = await services.installation();
  const open = join(dir, 'open');
  const trap = '#!/bin/sh\ntouch "$TRAP"\nexit 1\n';
  await mkdir(open);
  for (const folder of [open, dir]) {
    for (const name of ['docker', 'pg_dump']) await writeFile(join(folder, name), trap, { mode: 0o755 });
  }
  await chmod(open, 0o777);
  await writeFile(join(install, 'docker-compose.yml'), 'services: {}');
  const isRoot = process.getuid?.() === 0;
  const path = [...(isRoot ? [open] : []), '.', '', process.env.PATH].join(':');
  const sprung = join(dir, 'sprung');
  const run = `${node} ${program} backup --json >/dev/null; ${node} ${program} status >/dev/null || true; test ! -e ${sprung}`;
  await shell(run, { BIFRACT_DIR: install, PATH: path, TRAP: sprung });
});

test('.env gives settings, never an environment: no code is loaded because of it', async () => {
  const sprung = join(dir, 'sprung-by-env');
  const trap = join(dir, 'trap.cjs');
  await writeFile(trap, `require('node:fs').writeFileSync(${JSON.stringify(sprung)}, '')`);
  const { dir: install } = await services.installation({
    NODE_OPTIONS: `--require=${trap}`,
    NODE_PATH: dir,
    PATH: dir,
    HOME: dir,
    PGSSLMODE: 'disable',
  });
  const run = `${node} ${program}`;
  const script = `id=$(${run} backup --detach --json | sed 's/.*"\\(job\\|id\\)":"\\([^"]*\\)".*/\\2/'); ${run} attach $id --json; test ! -e ${sprung}`;
  assert.match(await shell(script, { BIFRACT_DIR: install }), /"event":"job:done"/);
});
