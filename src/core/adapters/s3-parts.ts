import type { S3Settings } from '../config/settings.ts';
import { BifractError } from '../errors.ts';

const MIB = 1 << 20;
const SMALLEST = 8 * MIB;
const MOST_PARTS = 10_000;

/** Bytes that may be on their way at once, in parts of whatever size; at least one part always is. */
const ON_THE_WAY = 64 * MIB;
const MOST_LANES = 4;

/** Sizes by part number, so that small uploads take little memory and 5 TiB fit: up to this number, this size. */
const STEPS: readonly [upTo: number, mib: number][] = [
  [3_000, 8],
  [5_000, 64],
  [7_000, 256],
  [MOST_PARTS, 1_536],
];

/** Of the parts that a guessed size is cut into; the others are for guesses that are too low. */
const GUESSED_PARTS = 8_000;
const GUESS_MARGIN = 1.25;

/** Cloudflare R2 takes only parts of one size, and says so only at the end. */
const EQUAL_PARTS_HOST = /\.r2\.cloudflarestorage\.com$/i;
const EQUAL_PARTS_MIB = 32;

/** A piece of an object; `last` is true for the only or last one. */
export interface Part {
  /** From 1. */
  number: number;
  bytes: Buffer;
  last: boolean;
}

/** The size of part `number`, in bytes. */
export type PartSizes = (number: number) => number;

/**
 * Part sizes for an upload of about `expected` bytes. All parts have one size as long as the guess holds, or up
 * to 23 GiB without a guess: some services demand that. Beyond, they grow.
 */
export function partSizes(
  settings: Pick<S3Settings, 'part_mib' | 'endpoint'>,
  expected: number | undefined,
): PartSizes {
  const wanted = (expected ?? 0) * GUESS_MARGIN;
  const guessed = Math.max(SMALLEST, Math.ceil(wanted / GUESSED_PARTS / MIB) * MIB);
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
    if (number <= MOST_PARTS) return sizes(number);
    throw new BifractError('STORAGE_FAILED', `An S3 upload has no more than ${MOST_PARTS} parts`, {
      hint: 'Set BIFRACT_S3_PART_MIB to a larger size.',
    });
  };
}

/** How many parts of a size are sent side by side. */
export function lanes(size: number): number {
  return Math.max(1, Math.min(MOST_LANES, Math.floor(ON_THE_WAY / size)));
}

/** Buffers that go round: an upload allocates no more than it has in hand at once. */
export class PartBuffers {
  #free: Buffer[] = [];

  take(size: number): Buffer {
    const found = this.#free.pop();
    return found?.length === size ? found : Buffer.allocUnsafeSlow(size);
  }

  /** Gives back a buffer that nobody reads any more. */
  release({ buffer }: Buffer): void {
    this.#free.push(Buffer.from(buffer));
  }
}

/** Copies what the content yields into parts. There is always a last one; it is empty only for empty content. */
export async function* cutIntoParts(
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
