/** `upload-once.ts bifract|lib-storage URL MiB`: measures one upload and prints seconds and memory as JSON. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { openS3Storage } from '../src/core/adapters/s3/storage.ts';
import { BUCKET, testS3Settings } from '../test/helpers/s3/test-server.ts';

const [client, url = '', mib = '0'] = process.argv.slice(2);
const block = randomBytes(1 << 20);
const settings = testS3Settings(url);

async function* content(): AsyncGenerator<Buffer> {
  for (let i = 0; i < Number(mib); i++) yield block;
}

async function bifract(): Promise<void> {
  await openS3Storage(settings).put('bench.bin', content());
}

async function libStorage(): Promise<void> {
  const { S3 } = await import('@aws-sdk/client-s3');
  // Imported at run time: only the benchmark needs the package.
  const other = (await import(String('@aws-sdk/lib-storage'))) as { Upload: OtherUpload };
  const { endpoint, region, access_key: accessKeyId = '', secret_key: secretAccessKey = '' } = settings;
  const s3 = new S3({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  const params = { Bucket: BUCKET, Key: 'bench.bin', Body: Readable.from(content()) };
  await new other.Upload({ client: s3, params, partSize: 8 << 20, queueSize: 4 }).done();
}

type OtherUpload = new (options: object) => { done(): Promise<unknown> };

let peak_rss = 0;
const sampler = setInterval(() => {
  peak_rss = Math.max(peak_rss, process.memoryUsage.rss());
}, 20);
const started = performance.now();
await (client === 'bifract' ? bifract() : libStorage());
const seconds = (performance.now() - started) / 1000;
clearInterval(sampler);
process.stdout.write(`${JSON.stringify({ seconds, peak_rss })}\n`);
process.exit(0);
