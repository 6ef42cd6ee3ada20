import type { CallOptions } from '../../ports/types.ts';
import type { S3Connection } from './connection.ts';

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
