/** One upload, measured: `upload-once.ts ours|lib-storage URL MiB` prints seconds and memory as JSON. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { openS3Storage } from '../src/core/adapters/s3-storage.ts';
import { BUCKET, labSettings } from '../test/helpers/s3/lab.ts';

const [way, url = '', mib = '0'] = process.argv.slice(2);
const block = randomBytes(1 << 20);
const settings = labSettings(url);

async function* content(): AsyncGenerator<Buffer> {
  for (let i = 0; i < Number(mib); i++) yield block;
}

async function ours(): Promise<void> {
  await openS3Storage(settings).put('bench.bin', content());
}

async function libStorage(): Promise<void> {
  const { S3 } = await import('@aws-sdk/client-s3');
  // Named at run time, so that only who measures needs the package.
  const other = (await import(String('@aws-sdk/lib-storage'))) as { Upload: OtherUpload };
  const { endpoint, region, access_key: accessKeyId = '', secret_key: secretAccessKey = '' } = settings;
  const client = new S3({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  const params = { Bucket: BUCKET, Key: 'bench.bin', Body: Readable.from(content()) };
  await new other.Upload({ client, params, partSize: 8 << 20, queueSize: 4 }).done();
}

type OtherUpload = new (options: object) => { done(): Promise<unknown> };

let most_rss = 0;
const watch = setInterval(() => {
  most_rss = Math.max(most_rss, process.memoryUsage.rss());
}, 20);
const began = performance.now();
await (way === 'ours' ? ours() : libStorage());
const seconds = (performance.now() - began) / 1000;
clearInterval(watch);
process.stdout.write(`${JSON.stringify({ seconds, most_rss })}\n`);
process.exit(0);
