import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { S3Settings } from '../../../src/core/config/settings.ts';
import { S3Server, type S3ServerOptions, TEST_CREDENTIALS } from './server.ts';

export const BUCKET = 'lab';

/** Settings for the test bucket, with the test credentials. */
export function testS3Settings(endpoint: string, other: Partial<S3Settings> = {}): S3Settings {
  return {
    bucket: BUCKET,
    endpoint,
    region: 'us-east-1',
    ...TEST_CREDENTIALS,
    storage_class: undefined,
    sse: undefined,
    sse_kms_key_id: undefined,
    ca_file: undefined,
    part_mib: undefined,
    proxy: undefined,
    ...other,
  };
}

/** Retry options for tests: the same behavior with short waits. */
export const QUICK_RETRIES = {
  attempts: 6,
  first_attempts: 2,
  wait_ms: 2,
  longest_wait_ms: 20,
  connect_ms: 1000,
  stall_ms: 300,
  grace_ms: 300,
  cleanup_ms: 5000,
};

/** Starts a server in a temporary folder, with one bucket. */
export async function startS3Server(
  options: Partial<S3ServerOptions> = {},
): Promise<{ server: S3Server; dir: string; stop(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'bifract-s3-'));
  const server = await S3Server.start({ dir, buckets: [BUCKET], ...options });
  return {
    server,
    dir,
    async stop() {
      await server.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
