import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
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

test('a rotation changes the keys in .env and no other byte', async () => {
  const [first, second] = [generateKey(), generateKey()];
  const path = join(dir, '.env');
  const [name, hidden] = ['BIFRACT_BACKUP_ENCRYPTION_KEY', '0'.repeat(64)];
  const files = [
    `SMTP=gr\xfc\xdfe\rexport ${name} = "${first}" # mine\r\n${name}_PREVIOUS='${second}'\nX=\xff`,
    `# ${name}=x\r${name}_PREVIOUS=${second}\r${name}=${first}\rX="a\r\nb"\r`,
  ];
  for (const text of files) {
    await writeFile(path, text, 'latin1');
    const services = makeServices(await readInstallation(dir, {}), { read_only: false });
    await services.replaceKey();
    const after = await readFile(path, 'latin1');
    const [third, ...earlier] = (await services.keys()).map(keyId);
    assert.ok(third !== idOf(first));
    assert.deepEqual(earlier, [idOf(first), idOf(second)]);
    const masked = after.replace(`${first},${second}`, hidden).replace(/[0-9a-f]{64}/g, hidden);
    assert.equal(masked, text.replace(/[0-9a-f]{64}/g, hidden));
  }
});

test('the last known keys are used while .env cannot be read', async () => {
  const key = generateKey();
  await env(key);
  const services = makeServices(await readInstallation(dir, {}), { read_only: false });
  await rm(join(dir, '.env'));
  assert.equal(keyId(await services.key()), idOf(key));
});
