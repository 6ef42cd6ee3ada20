/** Uploads one object; tests kill this process while it does. Arguments: settings as JSON, name, size in bytes. */
import { openS3Storage } from '../../../src/core/adapters/s3/storage.ts';
import { pattern, pieces } from '../../contracts/storage.ts';

const [settings = '', name = '', bytes = '0'] = process.argv.slice(2);
await openS3Storage(JSON.parse(settings)).put(name, pieces(pattern(Number(bytes)), 300_000), {
  job: 'job-1',
});
