import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readInstallation } from '../../bin/installation.ts';
import { makeServices } from '../../bin/wiring.ts';
import { generateKey, keyId, parseKey } from '../../src/core/format/index.ts';

const dir = await mkdtemp(join(tmpdir(), 'bifract-keys-'));
after(() => rm(dir, { recursive: true }));
const env = (...keys: string[]) =>
  writeFile(
    join(dir, '.env'),
    keys.map((key, at) => `BIFRACT_BACKUP_ENCRYPTION_KEY${at > 0 ? '_PREVIOUS' : ''}=${key}\n`).join(''),
  );
const idOf = (hex: string) => keyId(parseKey(hex));

test('a key rotated by another process is used at once, and the previous one still decrypts', async () => {
  const [first, second] = [generateKey(), generateKey()];
  await env(first);
  const services = makeServices(await readInstallation(dir, {}), { read_only: false });
  assert.equal(keyId(await services.key()), idOf(first));
  await env(second, first);
  assert.equal(keyId(await services.key()), idOf(second));
  assert.deepEqual((await services.keys()).map(keyId), [idOf(second), idOf(first)]);
  await services.replaceKey();
  const [third, ...earlier] = (await services.keys()).map(keyId);
  assert.ok(third !== idOf(second) && third !== idOf(first));
  assert.deepEqual(earlier, [idOf(second), idOf(first)]);
});

test('the last known keys are used while .env cannot be read', async () => {
  const key = generateKey();
  await env(key);
  const services = makeServices(await readInstallation(dir, {}), { read_only: false });
  await rm(join(dir, '.env'));
  assert.equal(keyId(await services.key()), idOf(key));
});
