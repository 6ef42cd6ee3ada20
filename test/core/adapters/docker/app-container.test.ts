import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { findWritingContainers } from '../../../../src/core/adapters/docker/compose.ts';
import { asBifractError } from '../../../../src/core/contract/errors.ts';

const PATH = process.env.PATH;
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bifract-app-'));
  process.env.PATH = [dir, PATH].join(delimiter);
  await writeFile(join(dir, 'docker-compose.yml'), 'services: {}');
});

afterEach(async () => {
  process.env.PATH = PATH;
  await rm(dir, { recursive: true });
});

/** A fake docker: what `compose start` does, and whether the container runs afterwards. */
async function app({ start, running }: { start: string; running: boolean }) {
  const script = `#!/bin/sh
case "$*" in
  "compose config --services") echo bifract ;;
  "compose start bifract") ${start} ;;
  "compose ps --quiet bifract") ${running ? 'echo abc' : 'true'} ;;
  "inspect abc") echo '[{"Name":"/bifract","State":{"Running":true}}]' ;;
  *) exit 1 ;;
esac
`;
  await writeFile(join(dir, 'docker'), script);
  await chmod(join(dir, 'docker'), 0o755);
  const [found] = await findWritingContainers(dir);
  assert.ok(found);
  return found;
}

test('a container is started', async () => {
  await (await app({ start: 'true', running: true })).start();
});

for (const [what, given] of Object.entries({
  'cannot be started': { start: 'echo "port is already allocated" >&2; exit 1', running: false },
  'ends as soon as it is started': { start: 'true', running: false },
})) {
  test(`a container that ${what} is an error with the command to start it`, async () => {
    const starting = (await app(given)).start();
    const error = await starting.then(() => undefined, asBifractError);
    assert.equal(error?.code, 'SERVER_UNREACHABLE');
    assert.ok(error?.hint?.includes(`docker compose up -d bifract in ${dir}`), String(error?.hint));
  });
}

test('an abort ends a start that hangs', async () => {
  const reason = new Error('enough');
  const controller = new AbortController();
  const starting = (await app({ start: 'sleep 60', running: false })).start({ signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(starting, (thrown) => thrown === reason);
});
