import type { KeyObject } from 'node:crypto';

/** The AES-256 key of an installation. Opaque: neither printing nor serializing it shows the secret. */
export type Key = KeyObject;
