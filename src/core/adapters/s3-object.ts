import { createHash } from 'node:crypto';
import { type S3Connection, TOKEN } from './s3-connection.ts';

/** What one upload is about. */
export interface Target {
  name: string;
  job: string | undefined;
  /** A mark of this upload alone. */
  token: string;
}

/** What every new object is given, however it is uploaded. */
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

/** The checksum that every service verifies, however old; undefined where this machine's rules forbid MD5. */
export function md5(bytes: Buffer): string | undefined {
  try {
    return createHash('md5').update(bytes).digest('base64');
  } catch {
    return undefined;
  }
}
