import { randomBytes } from 'node:crypto';
import type { CallOptions } from '../../ports/types.ts';
import { PROBE_PREFIX } from '../storage/probe.ts';
import type { S3Connection } from './connection.ts';
import { abortUpload, openUploads } from './open-uploads.ts';

const BYTES = 64;

/**
 * Tests multipart uploads, which need other permissions than small objects: opens one, sends a part, lists it and aborts
 * it. Returns warnings for display; throws the error that a large file would fail with.
 */
export async function probeUploads(
  connection: S3Connection,
  { prefix = '', ...options }: CallOptions & { prefix?: string },
): Promise<string[]> {
  const key = `${prefix}${PROBE_PREFIX}${randomBytes(8).toString('hex')}`;
  const input = { Bucket: connection.settings.bucket, Key: key };
  const what = 'Cannot store files larger than 8 MiB';
  const { UploadId } = await connection.call(
    what,
    (s3, http) => s3.createMultipartUpload(input, http),
    options,
  );
  if (!UploadId) throw connection.notAnS3Service();
  try {
    const part = { ...input, UploadId, PartNumber: 1, Body: randomBytes(BYTES) };
    await connection.call(what, (s3, http) => s3.uploadPart(part, http), options);
    return (await isListed(connection, input.Key, options))
      ? []
      : ['unfinished uploads are not listed: those of killed jobs cannot be found'];
  } finally {
    await abortUpload(connection, input.Key, UploadId);
  }
}

async function isListed(connection: S3Connection, key: string, options: CallOptions): Promise<boolean> {
  for await (const upload of openUploads(connection, key, options)) if (upload.key === key) return true;
  return false;
}
