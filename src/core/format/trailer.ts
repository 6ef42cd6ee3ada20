import { createCipheriv, createDecipheriv } from 'node:crypto';
import { decompressStream } from './decompress.ts';
import type { Trailer } from './ends.ts';
import { parseTrailer } from './ends-json.ts';
import { cutOff, damaged } from './faults.ts';
import { deriveKey, type Key } from './key.ts';
import { NONCE_BYTES, TAG_BYTES } from './layout.ts';

/** Length of the sealed trailer and a magic: the last bytes of a sealed file. */
export const TAIL_BYTES = 16;
const LENGTH_BYTES = 8;
const TAIL_MAGIC = Buffer.from('BIFRACT\x01', 'latin1');
/** Room for the index of a file of hundreds of terabytes; more is no trailer. */
export const MAX_TRAILER_BYTES = 256 * 1024 * 1024;
const MAX_TRAILER_PLAIN = 480 * 1024 * 1024;

/** Encrypts a trailer that will begin at byte `offset` of the file; the tail comes with it. */
export function sealTrailer(key: Key, base: Buffer, offset: number, compressed: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-gcm', trailerKey(key, base), Buffer.alloc(NONCE_BYTES));
  cipher.setAAD(associatedData(base, offset));
  const sealed = [cipher.update(compressed), cipher.final(), cipher.getAuthTag()];
  const length = sealed.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([...sealed, u64(length), TAIL_MAGIC]);
}

/**
 * Where the sealed trailer begins, from a file's size and its last bytes (16 or more); undefined where the tail is none.
 * `end` is the least that it can be.
 */
export function findTrailer(tail: Buffer, size: number, end: number): number | undefined {
  if (tail.length < TAIL_BYTES || !tail.subarray(-TAIL_MAGIC.length).equals(TAIL_MAGIC)) return undefined;
  const length = Number(tail.readBigUInt64BE(tail.length - TAIL_BYTES));
  const offset = size - TAIL_BYTES - length;
  if (length < TAG_BYTES || length > MAX_TRAILER_BYTES || offset < end) {
    throw damaged(size - TAIL_BYTES, 'the trailer cannot be as long as the file says');
  }
  return offset;
}

/** The trailer in `after`: all that follows the end mark, which ends at byte `offset` of the file. */
export async function openTail(key: Key, base: Buffer, offset: number, after: Buffer): Promise<Trailer> {
  const size = offset + after.length;
  const found = findTrailer(after, size, offset);
  if (found === undefined) throw missingTail(offset, after);
  if (found !== offset) throw damaged(offset, 'there is more than a trailer after the end mark');
  return openTrailer(key, base, offset, after.subarray(0, -TAIL_BYTES));
}

/** The tail's magic is not there: what its length field says tells a flipped bit from a missing piece. */
function missingTail(offset: number, after: Buffer): Error {
  const length = after.length - TAIL_BYTES;
  const fits = length >= TAG_BYTES && after.readBigUInt64BE(length) === BigInt(length);
  return fits
    ? damaged(offset + length, 'the end of the trailer')
    : cutOff('its trailer is missing, or something was added behind it');
}

/** Opens the sealed trailer that begins at byte `offset` of the file. */
export async function openTrailer(key: Key, base: Buffer, offset: number, sealed: Buffer): Promise<Trailer> {
  const decipher = createDecipheriv('aes-256-gcm', trailerKey(key, base), Buffer.alloc(NONCE_BYTES));
  decipher.setAAD(associatedData(base, offset));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const compressed = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES));
  try {
    decipher.final();
  } catch {
    throw damaged(offset, 'the trailer does not verify');
  }
  return parseTrailer(await inflate(compressed, offset), offset);
}

async function inflate(compressed: Buffer, offset: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of decompressStream([compressed], offset)) {
    size += part.length;
    if (size > MAX_TRAILER_PLAIN) throw damaged(offset, 'the trailer is too long');
    parts.push(part);
  }
  return Buffer.concat(parts, size);
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
