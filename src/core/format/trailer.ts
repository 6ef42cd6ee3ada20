import { createCipheriv } from 'node:crypto';
import { deriveKey, type Key } from './key.ts';
import { NONCE_BYTES } from './layout.ts';

/** Length of the sealed trailer and a magic: the last bytes of a sealed file. */
export const TAIL_BYTES = 16;
export const TAIL_MAGIC = Buffer.from('BIFRACT\x01', 'latin1');

/** Encrypts a trailer that will begin at byte `offset` of the file; the tail comes with it. */
export function sealTrailer(key: Key, base: Buffer, offset: number, compressed: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-gcm', trailerKey(key, base), Buffer.alloc(NONCE_BYTES));
  cipher.setAAD(Buffer.concat([base, u64(offset)]));
  const sealed = [cipher.update(compressed), cipher.final(), cipher.getAuthTag()];
  const length = sealed.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([...sealed, u64(length), TAIL_MAGIC]);
}

export function trailerKey(key: Key, base: Buffer): Buffer {
  return deriveKey(key, base, 'bifract trailer');
}

export function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
