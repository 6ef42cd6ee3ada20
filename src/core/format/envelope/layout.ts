import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Key } from '../../ports/key.ts';
import { deriveKey } from './key.ts';

/** Bytes at the start of a file from which every chunk's nonce is derived. */
export const BASE_BYTES = 32;
const SALT_BYTES = 16;
export const LENGTH_BYTES = 4;
export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;
/** Length field and nonce before a chunk's ciphertext. */
export const CHUNK_HEAD_BYTES = LENGTH_BYTES + NONCE_BYTES;
/** Plaintext of a full chunk. The writer fills every chunk but the last. */
export const CHUNK_PLAIN_BYTES = 64 * 1024;
/** A full chunk as stored. */
export const CHUNK_STORED_BYTES = CHUNK_HEAD_BYTES + CHUNK_PLAIN_BYTES + TAG_BYTES;
/** The longest ciphertext with tag that the server's reader accepts. */
export const MAX_CHUNK_LENGTH = CHUNK_PLAIN_BYTES + TAG_BYTES + 1024;

/** The nonce of chunk `index`. Derived from the base alone: checking the order needs no key. */
export function chunkNonce(base: Buffer, index: number): Buffer {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(index));
  return createHash('sha256').update(base).update(counter).digest().subarray(0, NONCE_BYTES);
}

/** A new base with the key mark of `key`: 16 random bytes and a MAC over them. */
export function newBase(key: Key): Buffer {
  const salt = randomBytes(SALT_BYTES);
  return Buffer.concat([salt, keyMark(key, salt)]);
}

/** Whether `base` has the key mark of `key`. Files of the server have none. */
export function hasKeyMark(base: Buffer, key: Key): boolean {
  return timingSafeEqual(base.subarray(SALT_BYTES), keyMark(key, base.subarray(0, SALT_BYTES)));
}

function keyMark(key: Key, salt: Buffer): Buffer {
  const markKey = deriveKey(key, '', 'bifract key id');
  return createHmac('sha256', markKey)
    .update(salt)
    .digest()
    .subarray(0, BASE_BYTES - SALT_BYTES);
}

/** Start of the stored chunk that holds byte `offset` of a stream of full chunks. */
export function chunkOffset(offset: number): number {
  return BASE_BYTES + Math.floor(offset / CHUNK_PLAIN_BYTES) * CHUNK_STORED_BYTES;
}
