import { openS3Storage } from '../../src/core/adapters/s3/storage.ts';
import type { Storage } from '../../src/core/ports/storage.ts';

/** Opens a bucket in another process, for the storage contract. The location is its settings as JSON. */
export function open(location: string): Storage {
  return openS3Storage(JSON.parse(location));
}
