import type { S3Settings } from '../../config/settings.ts';
import { BifractError } from '../../contract/errors.ts';

const MIB = 1 << 20;
const MIN_PART_BYTES = 8 * MIB;
const MAX_PARTS = 10_000;

/** Bytes that may be sent concurrently, but always at least one part. */
const MAX_CONCURRENT_BYTES = 64 * MIB;
const MAX_CONCURRENT_PARTS = 4;

/** Part sizes up to a part number: small uploads need little memory, and 5 TiB fit. */
const STEPS: readonly [upTo: number, mib: number][] = [
  [3_000, 8],
  [5_000, 64],
  [7_000, 256],
  [MAX_PARTS, 1_536],
];

/** Number of parts for an expected size; the rest is for sizes that were estimated too low. */
const EXPECTED_PARTS = 8_000;
const EXPECTED_MARGIN = 1.25;

/** Cloudflare R2 requires parts of equal size, and reports that only at the end of an upload. */
const EQUAL_PARTS_HOST = /\.r2\.cloudflarestorage\.com$/i;
const EQUAL_PARTS_MIB = 32;

/** A part of an object; `last` is true for the last or only one. */
export interface Part {
  /** From 1. */
  number: number;
  bytes: Buffer;
  last: boolean;
}

/** The size of part `number`, in bytes. */
type PartSizes = (number: number) => number;

/**
 * Part sizes for an upload of about `expected` bytes. Parts have equal size up to the expected size, or up to 23 GiB
 * without one, because some services require that. Beyond, they grow.
 */
export function partSizes(
  settings: Pick<S3Settings, 'part_mib' | 'endpoint'>,
  expected: number | undefined,
): PartSizes {
  const wanted = (expected ?? 0) * EXPECTED_MARGIN;
  const guessed = Math.max(MIN_PART_BYTES, Math.ceil(wanted / EXPECTED_PARTS / MIB) * MIB);
  const fixed = settings.part_mib ?? equalPartsMib(settings.endpoint);
  if (settings.part_mib !== undefined) return limited(() => (settings.part_mib as number) * MIB);
  if (fixed !== undefined) return limited(() => Math.max(fixed * MIB, guessed));
  const equalUpTo = Math.ceil(wanted / guessed);
  return limited((number) => (number <= equalUpTo ? guessed : Math.max(guessed, stepSize(number))));
}

function stepSize(number: number): number {
  const [, mib] = STEPS.find(([upTo]) => number <= upTo) ?? [0, 0];
  return mib * MIB;
}

function equalPartsMib(endpoint: string | undefined): number | undefined {
  return endpoint && EQUAL_PARTS_HOST.test(new URL(endpoint).hostname) ? EQUAL_PARTS_MIB : undefined;
}

function limited(sizes: PartSizes): PartSizes {
  return (number) => {
    if (number <= MAX_PARTS) return sizes(number);
    throw new BifractError('STORAGE_FAILED', `An S3 upload cannot have more than ${MAX_PARTS} parts`, {
      hint: 'Increase BIFRACT_S3_PART_MIB.',
    });
  };
}

/** How many parts of a size are sent concurrently. */
export function concurrentParts(size: number): number {
  return Math.max(1, Math.min(MAX_CONCURRENT_PARTS, Math.floor(MAX_CONCURRENT_BYTES / size)));
}

/** A pool of part buffers: an upload allocates no more than it uses at once. */
export class PartBuffers {
  #free: Buffer[] = [];

  take(size: number): Buffer {
    const found = this.#free.pop();
    return found?.length === size ? found : Buffer.allocUnsafeSlow(size);
  }

  /** Returns a buffer that is no longer in use. */
  free({ buffer }: Buffer): void {
    this.#free.push(Buffer.from(buffer));
  }
}

/** Splits content into parts. There is always a last part; it is empty only for empty content. */
export async function* splitIntoParts(
  content: AsyncIterable<Uint8Array>,
  sizes: PartSizes,
  buffers: PartBuffers,
): AsyncGenerator<Part> {
  let number = 1;
  let bytes = buffers.take(sizes(1));
  let filled = 0;
  for await (const piece of content) {
    for (let at = 0; at < piece.length; ) {
      if (filled === bytes.length) {
        yield { number, bytes, last: false };
        bytes = buffers.take(sizes(++number));
        filled = 0;
      }
      const more = piece.subarray(at, at + bytes.length - filled);
      bytes.set(more, filled);
      filled += more.length;
      at += more.length;
    }
  }
  yield { number, bytes: bytes.subarray(0, filled), last: true };
}
