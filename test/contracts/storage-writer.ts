/** A process that writes to a storage and never ends: to be killed. Arguments: kind, location, name, bytes. */
import { DiskStorage } from '../../src/core/adapters/disk/storage.ts';
import { openS3Storage } from '../../src/core/adapters/s3/storage.ts';

const [kind, location = '', name = '', bytes = '0'] = process.argv.slice(2);

async function* endless(): AsyncGenerator<Buffer> {
  for (let written = 0; written < Number(bytes); written += 1 << 20) yield Buffer.alloc(1 << 20, 7);
  process.stdout.write('written\n');
  setInterval(() => undefined, 1000);
  await new Promise(() => undefined);
}

const storage = kind === 's3' ? openS3Storage(JSON.parse(location)) : new DiskStorage(location);
await storage.put(name, endless(), { job: 'killed-job' });
