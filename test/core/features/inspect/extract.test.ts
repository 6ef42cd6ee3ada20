import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { DiskStorage } from '../../../../src/core/adapters/disk/storage.ts';
import { BifractError } from '../../../../src/core/contract/errors.ts';
import type { ExtractPart } from '../../../../src/core/features/inspect/contract.ts';
import { extract } from '../../../../src/core/features/inspect/extract.ts';
import { parseKey } from '../../../../src/core/format/index.ts';
import { fakeServices } from '../../../helpers/fake-services.ts';

const VECTORS = join(import.meta.dirname, '../../../fixtures/vectors');

interface Sidecar {
  file: string;
  kind: 'stream' | 'backup' | 'archive-v1';
  ok: boolean;
  key_hex: string;
  plaintext: { sha256: string };
  stream_plaintext: { sha256: string };
  backup: { dump_sha256: string; manifest_sha256: string };
}

/** The server rejects lines of 10 MiB; this program has no limit. */
const REJECTED_BY_SERVER_ONLY = ['c-archive/line-of-10485760-bytes.bifract-archive'];

const sidecars = readdirSync(VECTORS, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.(bin|bifract-\w+)\.json$/.test(path))
  .map((path) => JSON.parse(readFileSync(join(VECTORS, path), 'utf8')) as Sidecar);

function extracted({ file, key_hex }: Sidecar, part: ExtractPart): AsyncIterable<Buffer> {
  const localFile = async (path: string) => ({
    storage: new DiskStorage(dirname(path)),
    name: basename(path),
  });
  return extract(fakeServices({ localFile, keys: [parseKey(key_hex)] }), join(VECTORS, file), part);
}

async function sha256Of(sidecar: Sidecar, part: ExtractPart): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of extracted(sidecar, part)) hash.update(piece);
  return hash.digest('hex');
}

function wanted({ kind, plaintext, backup }: Sidecar): string {
  return kind === 'backup' ? backup.dump_sha256 : plaintext.sha256;
}

test('there are intact and damaged vectors of all kinds', () => {
  assert.equal(sidecars.length, 120);
  assert.deepEqual([...new Set(sidecars.map(({ kind }) => kind))].sort(), ['archive-v1', 'backup', 'stream']);
  assert.ok(sidecars.filter(({ ok }) => !ok).length > 40);
});

for (const sidecar of sidecars.filter(({ ok, file }) => ok || REJECTED_BY_SERVER_ONLY.includes(file))) {
  test(`${sidecar.file} yields its content`, async () => {
    assert.equal(await sha256Of(sidecar, 'content'), wanted(sidecar));
  });
}

for (const sidecar of sidecars.filter(({ ok, file }) => !ok && !REJECTED_BY_SERVER_ONLY.includes(file))) {
  test(`${sidecar.file} is rejected with exit 5 and a hint`, async () => {
    await assert.rejects(sha256Of(sidecar, 'content'), (error) => {
      assert.ok(error instanceof BifractError);
      assert.equal(error.exitCode, 5, error.message);
      assert.ok(error.hint);
      return true;
    });
  });
}

test('raw yields the decrypted stream', async () => {
  const archive = sidecars.find(({ file }) => file.endsWith('odd.bifract-archive')) as Sidecar;
  assert.equal(await sha256Of(archive, 'raw'), archive.stream_plaintext.sha256);
});

test('the manifest of a backup is returned as JSON', async () => {
  const backup = sidecars.find(({ file }) => file.endsWith('pgdump.bifract-backup')) as Sidecar;
  const pieces = await Array.fromAsync(extracted(backup, 'manifest'));
  assert.equal(JSON.parse(Buffer.concat(pieces).toString()).version, 'v0.9.3');
});
