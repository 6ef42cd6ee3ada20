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

/** Versioning and object lock of a bucket, described for display; nothing if the service does not report them. */
export async function bucketFeatures(connection: S3Connection, options: CallOptions): Promise<string[]> {
  const Bucket = connection.settings.bucket;
  const once = { ...options, attempts: 1 };
  const [versioning, lock] = await Promise.allSettled([
    connection.send((s3, http) => s3.getBucketVersioning({ Bucket }, http), once),
    connection.send((s3, http) => s3.getObjectLockConfiguration({ Bucket }, http), once),
  ]);
  options.signal?.throwIfAborted();
  const features: string[] = [];
  if (versioning.status === 'fulfilled' && versioning.value.Status) {
    const state = versioning.value.Status === 'Enabled' ? 'on' : 'suspended';
    features.push(`versioning is ${state}: deleted objects still use space`);
  }
  if (lock.status === 'fulfilled' && lock.value.ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled') {
    features.push(
      `object lock is on${describeRetention(lock.value.ObjectLockConfiguration.Rule?.DefaultRetention)}`,
    );
  }
  return features;
}

function describeRetention(retention: { Mode?: string; Days?: number; Years?: number } | undefined): string {
  if (!retention) return '';
  const time = retention.Years ? `${retention.Years} years` : `${retention.Days ?? 0} days`;
  return ` (${retention.Mode?.toLowerCase() ?? 'default'}, ${time})`;
}
