import { createHash } from 'node:crypto';
import { type S3Connection, TOKEN } from './connection.ts';

/** The destination of one upload. */
export interface Target {
  name: string;
  job: string | undefined;
  /** Identifies this upload. */
  token: string;
}

/** Parameters of every new object, for both kinds of upload. */
export function objectInput({ settings }: S3Connection, { name, token, job }: Target) {
  return {
    Bucket: settings.bucket,
    Key: name,
    ContentType: 'application/octet-stream',
    Metadata: { [TOKEN]: token, ...(job ? { 'bifract-job': job } : {}) },
    StorageClass: settings.storage_class as 'STANDARD' | undefined,
    ServerSideEncryption: settings.sse as 'AES256' | undefined,
    SSEKMSKeyId: settings.sse_kms_key_id,
  };
}

/** The checksum that every service verifies; undefined if this machine does not allow MD5 (FIPS). */
export function md5(bytes: Buffer): string | undefined {
  try {
    return createHash('md5').update(bytes).digest('base64');
  } catch {
    return undefined;
  }
}
