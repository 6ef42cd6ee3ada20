import type { RowDigest } from '../ports/log-restore.ts';

const MINUTE_MS = 60_000;
/** Limits memory, and the size of the database's answer. */
const MAX_BUCKETS = 2 ** 18;
/** Ranges of rows to stage: as many as a checkpoint may hold. */
const MAX_RANGES = 1000;
const HASH_BITS = 128;

/** Digests of rows by time: by minute, or by longer buckets if the rows are from more than half a year. */
export interface RowDigests {
  /** A power of two of minutes. */
  bucket_ms: number;
  /** By number of the bucket since 1970. */
  buckets: Map<number, RowDigest>;
  /** Start of the first bucket that is not empty, and of the last, Unix ms. */
  first_ms: number;
  last_ms: number;
  /** Whether all rows could be digested. */
  exact: boolean;
}

/** Times `from_ms ≤ time < to_ms`, Unix ms. */
interface TimeRange {
  from_ms: number;
  to_ms: number;
}

export function emptyDigests(): RowDigests {
  return {
    bucket_ms: MINUTE_MS,
    buckets: new Map(),
    first_ms: Number.POSITIVE_INFINITY,
    last_ms: Number.NEGATIVE_INFINITY,
    exact: true,
  };
}

/** Adds the digest of rows of one minute or bucket that starts at `start_ms`. */
export function addDigest(digests: RowDigests, start_ms: number, added: RowDigest): void {
  digests.first_ms = Math.min(digests.first_ms, start_ms);
  digests.last_ms = Math.max(digests.last_ms, start_ms);
  while ((digests.last_ms - digests.first_ms) / digests.bucket_ms >= MAX_BUCKETS) doubleBuckets(digests);
  addTo(digests.buckets, Math.floor(start_ms / digests.bucket_ms), added);
}

/** Adds the digests of other rows. */
export function mergeDigests(into: RowDigests, from: RowDigests): void {
  into.exact &&= from.exact;
  while (into.bucket_ms < from.bucket_ms) doubleBuckets(into);
  for (const [bucket, digest] of from.buckets) addDigest(into, bucket * from.bucket_ms, digest);
}

function doubleBuckets(digests: RowDigests): void {
  const { buckets } = digests;
  digests.bucket_ms *= 2;
  digests.buckets = new Map();
  for (const [bucket, digest] of buckets) addTo(digests.buckets, Math.floor(bucket / 2), digest);
}

function addTo(buckets: RowDigests['buckets'], bucket: number, { rows, hash }: RowDigest): void {
  const known = buckets.get(bucket) ?? { rows: 0, hash: 0n };
  buckets.set(bucket, { rows: known.rows + rows, hash: BigInt.asUintN(HASH_BITS, known.hash + hash) });
}

/**
 * Time ranges, sorted, that contain all buckets whose rows differ from the others. Many ranges are joined to some that
 * contain more than that.
 */
export function differingRanges(
  { buckets, bucket_ms }: RowDigests,
  others: RowDigests['buckets'],
): TimeRange[] {
  const differing = [...buckets]
    .filter(([bucket, { rows, hash }]) => {
      const other = others.get(bucket);
      return other?.rows !== rows || other.hash !== hash;
    })
    .map(([bucket]) => bucket)
    .sort((a, b) => a - b);
  let ranges = differing.map((bucket) => ({ from_ms: bucket * bucket_ms, to_ms: (bucket + 1) * bucket_ms }));
  for (let gap_ms = 0; gap_ms === 0 || ranges.length > MAX_RANGES; gap_ms = 2 * gap_ms || bucket_ms)
    ranges = joined(ranges, gap_ms);
  return ranges;
}

function joined(ranges: readonly TimeRange[], gap_ms: number): TimeRange[] {
  const result: TimeRange[] = [];
  for (const range of ranges) {
    const last = result.at(-1);
    if (last && range.from_ms - last.to_ms <= gap_ms) last.to_ms = range.to_ms;
    else result.push({ ...range });
  }
  return result;
}

/** Whether each of the ranges is within one of the others. Both are sorted. */
export function areWithin(ranges: readonly TimeRange[], others: readonly TimeRange[]): boolean {
  return ranges.every(({ from_ms, to_ms }) =>
    others.some((other) => other.from_ms <= from_ms && to_ms <= other.to_ms),
  );
}
