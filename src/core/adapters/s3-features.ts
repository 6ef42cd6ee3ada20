import type { CallOptions } from '../ports/types.ts';
import type { S3Connection } from './s3-connection.ts';

/** What a bucket does beside storing, in words; what the service does not tell is left out. */
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
    features.push(`versioning is ${state}, so what is deleted keeps its space`);
  }
  if (lock.status === 'fulfilled' && lock.value.ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled') {
    features.push(`object lock is on${lockedFor(lock.value.ObjectLockConfiguration.Rule?.DefaultRetention)}`);
  }
  return features;
}

function lockedFor(retention: { Mode?: string; Days?: number; Years?: number } | undefined): string {
  if (!retention) return '';
  const time = retention.Years ? `${retention.Years} years` : `${retention.Days ?? 0} days`;
  return ` (${retention.Mode?.toLowerCase() ?? 'default'}, ${time})`;
}
