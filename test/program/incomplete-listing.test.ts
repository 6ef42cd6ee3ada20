import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ndjson, run } from '../helpers/program.ts';

/** An installation with a bucket whose listing is one page, which says that more follows but not where. */
async function installation(names: string[]): Promise<string> {
  const contents = names.map((name) => `<Contents><Key>${name}</Key><Size>5</Size></Contents>`).join('');
  const server = createServer((_, response) => {
    response.end(
      `<ListBucketResult><Name>b</Name><IsTruncated>true</IsTruncated>${contents}</ListBucketResult>`,
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const dir = await mkdtemp(join(tmpdir(), 'bifract-listing-'));
  after(async () => {
    server.closeAllConnections();
    server.close();
    await rm(dir, { recursive: true, force: true });
  });
  await mkdir(join(dir, 'backups'));
  const { port } = server.address() as AddressInfo;
  await writeFile(
    join(dir, '.env'),
    `BIFRACT_S3_ENDPOINT=http://127.0.0.1:${port}\nBIFRACT_S3_BUCKET=b\nBIFRACT_S3_ACCESS_KEY=access\nBIFRACT_S3_SECRET_KEY=secret-of-test\nBIFRACT_BACKUP_ENCRYPTION_KEY=${'1f'.repeat(32)}\n`,
  );
  return dir;
}

const NAMES = [1, 2].map((day) => `bifract-backup-2026030${day}-120000.bifract-backup`);

test('an incomplete list shows what came, then the error', async () => {
  const dir = await installation(NAMES);
  const json = await run(['list', 'backups', '--json', '--dir', dir]);
  const lines = ndjson<{ name?: string; error?: { code: string } }>(json);
  assert.deepEqual(
    lines.map(({ name, error }) => name ?? error?.code),
    [...NAMES.toReversed(), 'STORAGE_FAILED'],
  );
  assert.equal(json.code, 1);
  const text = await run(['list', 'backups', '--dir', dir]);
  assert.match(text.stdout.toString(), new RegExp(NAMES[0] as string));
  assert.match(text.stderr, /\[STORAGE_FAILED\]/);
});

test('an incomplete list without entries does not say that there are none', async () => {
  const { stdout, code } = await run(['list', 'backups', '--dir', await installation([])]);
  assert.equal(stdout.toString(), '');
  assert.equal(code, 1);
});

test('nothing is pruned by an incomplete listing', async () => {
  const dir = await installation(NAMES);
  const pruned = await run(['prune', '--keep-last', '1', '--yes', '--json', '--dir', dir]);
  const { error } = ndjson<{ error?: { code: string } }>(pruned).at(-1) ?? {};
  assert.equal(error?.code, 'STORAGE_FAILED');
});
