import { createHmac, createSecretKey, hkdfSync, randomBytes } from 'node:crypto';
import { BifractError } from '../../contract/errors.ts';
import type { Key } from '../../ports/key.ts';

const KEY_BYTES = 32;
const HINT =
  'BIFRACT_BACKUP_ENCRYPTION_KEY must be the 64 hex digits that the installation was set up with. No other key opens its files.';

/** Parses a key of 64 hex digits; surrounding whitespace is ignored. Throws `KEY_MALFORMED`, without the value. */
export function parseKey(hex: string): Key {
  const digits = hex.trim();
  if (!/^[0-9a-f]*$/i.test(digits)) {
    throw new BifractError('KEY_MALFORMED', 'The encryption key contains characters other than hex digits', {
      hint: HINT,
    });
  }
  if (digits.length !== KEY_BYTES * 2) {
    const message = `The encryption key has ${digits.length} hex digits, expected ${KEY_BYTES * 2}`;
    throw new BifractError('KEY_MALFORMED', message, { hint: HINT });
  }
  return createSecretKey(Buffer.from(digits, 'hex'));
}

/** A new random key as 64 lower-case hex digits, as in `.env`. */
export function generateKey(): string {
  return randomBytes(KEY_BYTES).toString('hex');
}

/** Fingerprint for display, 8 hex digits: distinguishes keys without revealing them. */
export function keyId(key: Key): string {
  return createHmac('sha256', deriveKey(key, '', 'bifract key id'))
    .update('fingerprint')
    .digest('hex')
    .slice(0, 8);
}

/** HKDF-SHA256 of the key: 32 bytes, for one purpose only. */
export function deriveKey(key: Key, salt: string | Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, purpose, KEY_BYTES));
}
