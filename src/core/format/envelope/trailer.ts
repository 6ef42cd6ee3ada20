import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Key } from '../../ports/key.ts';
import { cutOff, damaged } from '../errors.ts';
import { deriveKey } from './key.ts';
import { NONCE_BYTES, TAG_BYTES } from './layout.ts';

/** The last bytes of a sealed file: length of the sealed trailer, and a magic. */
export const TAIL_BYTES = 16;
const LENGTH_BYTES = 8;
const TAIL_MAGIC = Buffer.from('BIFRACT\x01', 'latin1');
const MIB = 1024 * 1024;
/** Enough for the index of a file of hundreds of terabytes. */
const MAX_TRAILER_BYTES = 256 * MIB;
/** Up to this size a file may consist of frames that are hardly larger than their entries in the index. */
const SMALL_BYTES = 4 * MIB;

/**
 * The longest trailer of a file with this many bytes before it, in bytes before compression: 4 times as many in a small
 * file, then a quarter. More entries would need content that compresses to less than a thousandth.
 */
export function maxTrailerBytes(stream: number): number {
  const small = 4 * Math.min(stream, SMALL_BYTES);
  return Math.min(MAX_TRAILER_BYTES, MIB / 4 + small + Math.max(0, stream - SMALL_BYTES) / 4);
}

/** Encrypts a trailer that starts at byte `offset` of the file, and appends the tail. */
export function sealTrailer(key: Key, base: Buffer, offset: number, trailer: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-gcm', trailerKey(key, base), Buffer.alloc(NONCE_BYTES));
  cipher.setAAD(associatedData(base, offset));
  const sealed = [cipher.update(trailer), cipher.final(), cipher.getAuthTag()];
  const length = sealed.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([...sealed, u64(length), TAIL_MAGIC]);
}

/**
 * The start of the sealed trailer, from a file's size and its last bytes (16 or more); undefined if there is no
 * trailer. `minimum` is the smallest possible start.
 */
export function findTrailer(tail: Buffer, size: number, minimum: number): number | undefined {
  if (tail.length < TAIL_BYTES || !tail.subarray(-TAIL_MAGIC.length).equals(TAIL_MAGIC)) return undefined;
  const length = Number(tail.readBigUInt64BE(tail.length - TAIL_BYTES));
  const offset = size - TAIL_BYTES - length;
  if (length < TAG_BYTES || offset < minimum || length > maxTrailerBytes(offset)) {
    throw damaged(size - TAIL_BYTES, 'the trailer length is invalid');
  }
  return offset;
}

/** Opens the trailer in `after`: everything after the end marker, which ends at byte `offset` of the file. */
export function openTail(key: Key, base: Buffer, offset: number, after: Buffer): Buffer {
  const size = offset + after.length;
  const found = findTrailer(after, size, offset);
  if (found === undefined) throw missingTailError(offset, after);
  if (found !== offset) throw damaged(offset, 'unexpected data between end marker and trailer');
  return openTrailer(key, base, offset, after.subarray(0, -TAIL_BYTES));
}

/** The magic is missing. A plausible length field indicates a damaged magic, anything else a missing tail. */
function missingTailError(offset: number, after: Buffer): Error {
  const length = after.length - TAIL_BYTES;
  const fits = length >= TAG_BYTES && after.readBigUInt64BE(length) === BigInt(length);
  return fits
    ? damaged(offset + length, 'the last bytes of the trailer are invalid')
    : cutOff('the trailer is missing, or data was appended');
}

/** Opens the sealed trailer that starts at byte `offset` of the file. */
export function openTrailer(key: Key, base: Buffer, offset: number, sealed: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', trailerKey(key, base), Buffer.alloc(NONCE_BYTES));
  decipher.setAAD(associatedData(base, offset));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const trailer = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES));
  try {
    decipher.final();
  } catch {
    throw damaged(offset, 'the trailer fails authentication');
  }
  return trailer;
}

function trailerKey(key: Key, base: Buffer): Buffer {
  return deriveKey(key, base, 'bifract trailer');
}

function associatedData(base: Buffer, offset: number): Buffer {
  return Buffer.concat([base, u64(offset)]);
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(LENGTH_BYTES);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
