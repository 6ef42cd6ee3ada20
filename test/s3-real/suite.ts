import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { S3 } from '@aws-sdk/client-s3';
import { openS3Storage } from '../../src/core/adapters/s3/storage.ts';
import type { S3Settings } from '../../src/core/config/settings.ts';
import type { Storage } from '../../src/core/ports/storage.ts';
import { all, collect, pattern, pieces, refuses, storageContract } from '../contracts/storage.ts';
import { BUCKET, testS3Settings } from '../helpers/s3/test-server.ts';
import type { RealService } from './service.ts';

/** Tests for a real S3 service: the storage contract, large objects and long listings. */
export function realSuite(name: string, start: (dir: string) => Promise<RealService>): void {
  describe(name, () => {
    let dir: string;
    let service: RealService;
    let settings: S3Settings;
    let storage: Storage;

    before(async () => {
      dir = await mkdtemp(join(tmpdir(), 'bifract-s3-real-'));
      service = await start(dir);
      const { access_key, secret_key } = service;
      settings = testS3Settings(service.url, { access_key, secret_key });
      await makeBucket(settings);
      storage = openS3Storage(settings);
    });
    after(async () => {
      await service?.stop();
      await rm(dir, { recursive: true, force: true });
    });

    storageContract('as storage', async () => ({
      storage,
      close: async () => undefined,
      reopen: {
        location: JSON.stringify(settings),
        bytes: 40 << 20,
      },
    }));

    test('reports its version', (t) => t.diagnostic(service.title));

    test('stores 200 MiB in parts', async () => {
      const content = pattern(200 << 20);
      await storage.put('large.bin', pieces(content, 700_001), { job: 'job-1' });
      assert.ok((await collect(storage.stream('large.bin'))).equals(content));
      assert.deepEqual(await all(storage.listUnfinished()), []);
    });

    test('lists more than one page', async () => {
      const names = Array.from({ length: 1100 }, (_, i) => `pages/${String(i).padStart(5, '0')}`);
      const s3 = client(settings);
      const queue = [...names];
      const worker = async () => {
        for (let Key = queue.pop(); Key; Key = queue.pop())
          await s3.putObject({ Bucket: BUCKET, Key, Body: 'x' });
      };
      await Promise.all(Array.from({ length: 16 }, worker));
      s3.destroy();
      assert.deepEqual(
        (await all(storage.list('pages/'))).map((object) => object.name),
        names,
      );
    });

    test('distinguishes wrong credentials from a missing bucket', async () => {
      await refuses('STORAGE_DENIED', openS3Storage({ ...settings, secret_key: 'x' }).stat('a'));
      await refuses('STORAGE_DENIED', openS3Storage({ ...settings, access_key: 'x' }).stat('a'));
      const error = await openS3Storage({ ...settings, bucket: 'nowhere' })
        .stat('a')
        .catch((reason: Error) => reason);
      assert.match(String(error), /nowhere/);
    });
  });
}

async function makeBucket(settings: S3Settings): Promise<void> {
  const s3 = client(settings);
  await s3.createBucket({ Bucket: BUCKET });
  s3.destroy();
}

function client({ endpoint, region, access_key = '', secret_key = '' }: S3Settings): S3 {
  const credentials = { accessKeyId: access_key, secretAccessKey: secret_key };
  return new S3({ endpoint, region, forcePathStyle: true, credentials });
}
