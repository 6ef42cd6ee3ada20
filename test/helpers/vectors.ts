import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../fixtures/vectors/', import.meta.url));

/** A file of the server, and the result of its reader. */
export interface Vector {
  file: string;
  kind: 'stream' | 'backup' | 'archive-v1';
  ok: boolean;
  key_hex: string;
  archive?: { data_lines: number; malformed_lines_skipped: number };
}

export function loadVectors(): Vector[] {
  const load = (file: string) => JSON.parse(readFileSync(root + file, 'utf8'));
  return (load('index.json') as { file: string }[]).map(({ file }) => load(`${file}.json`) as Vector);
}

export function vectorBytes({ file }: Vector): Buffer {
  return readFileSync(root + file);
}

/** Files that this program accepts and the server's reader rejects, and why. */
export const ACCEPTED_HERE: Record<string, string> = {
  'c-archive/line-of-10485760-bytes.bifract-archive': 'lines have no length limit here',
};

/** The error code of each rejected file. */
export const EXPECTED_CODES: Record<string, string> = {
  'b-backup/no-separator.bifract-backup': 'NOT_BIFRACT',
  'b-backup/bad-manifest.bifract-backup': 'NOT_BIFRACT',
  'b-backup/env-not-string.bifract-backup': 'NOT_BIFRACT',
  'd-tampered/flip-header.bifract-archive': 'DAMAGED',
  'd-tampered/flip-nonce-chunk0.bifract-archive': 'DAMAGED',
  'd-tampered/flip-nonce-chunk2.bifract-archive': 'DAMAGED',
  'd-tampered/flip-ciphertext-chunk0.bifract-archive': 'DAMAGED',
  'd-tampered/flip-ciphertext-chunk1.bifract-archive': 'DAMAGED',
  'd-tampered/flip-tag-last.bifract-archive': 'DAMAGED',
  'd-tampered/trunc-boundary-forged-sentinel.bifract-archive': 'CUT_OFF',
  'd-tampered/trunc-last-chunk-forged-sentinel.bifract-archive': 'CUT_OFF',
  'd-tampered/trunc-mid-chunk.bifract-archive': 'CUT_OFF',
  'd-tampered/swap-chunks-0-1.bifract-archive': 'DAMAGED',
  'd-tampered/length-66577.bifract-archive': 'DAMAGED',
  'd-tampered/wrong-key.bifract-archive': 'WRONG_KEY',
  'd-tampered/stream-chunk-66561.bin': 'NOT_BIFRACT',
  'd-tampered/small-length-plus-1.bifract-archive': 'DAMAGED',
  'd-tampered/small-length-minus-1.bifract-archive': 'DAMAGED',
  'd-tampered/small-length-66576.bifract-archive': 'CUT_OFF',
  'd-tampered/small-length-ffffffff.bifract-archive': 'DAMAGED',
  'd-tampered/small-length-15.bifract-archive': 'DAMAGED',
  'd-tampered/small-length-0-mid.bifract-archive': 'CUT_OFF',
  'd-tampered/small-length-0-first.bifract-archive': 'NOT_BIFRACT',
  'd-tampered/small-no-sentinel.bifract-archive': 'CUT_OFF',
  'd-tampered/small-half-sentinel.bifract-archive': 'CUT_OFF',
  'd-tampered/small-trunc-mid-nonce.bifract-archive': 'CUT_OFF',
  'd-tampered/small-trunc-mid-length.bifract-archive': 'CUT_OFF',
  'd-tampered/small-trunc-mid-tag.bifract-archive': 'CUT_OFF',
  'd-tampered/small-trunc-after-nonce.bifract-archive': 'CUT_OFF',
  'd-tampered/small-duplicate-chunk-2.bifract-archive': 'DAMAGED',
  'd-tampered/small-drop-chunk-2.bifract-archive': 'DAMAGED',
  'd-tampered/small-drop-chunk-0.bifract-archive': 'DAMAGED',
  'd-tampered/small-splice-other-stream.bifract-archive': 'DAMAGED',
  'd-tampered/small-two-bit-flips-tag.bifract-archive': 'DAMAGED',
  'd-tampered/small-header-31-bytes.bifract-archive': 'CUT_OFF',
  'd-tampered/small-header-only.bifract-archive': 'CUT_OFF',
  'd-tampered/small-zero-bytes.bifract-archive': 'CUT_OFF',
  'd-tampered/small-all-zero-100.bifract-archive': 'NOT_BIFRACT',
  'd-tampered/small-sentinel-only.bifract-archive': 'NOT_BIFRACT',
  'd-tampered/small-plain-zstd.bifract-archive': 'NOT_BIFRACT',
  'd-tampered/small-inner-zstd-checksum.bifract-archive': 'DAMAGED',
  'd-tampered/small-inner-zstd-trunc.bifract-archive': 'CUT_OFF',
  'd-tampered/small-inner-zstd-no-checksum-bytes.bifract-archive': 'CUT_OFF',
  'd-tampered/small-inner-zstd-trailing.bifract-archive': 'DAMAGED',
  'd-tampered/small-inner-zstd-trailing-zeros.bifract-archive': 'DAMAGED',
  'd-tampered/small-inner-not-zstd.bifract-archive': 'NOT_BIFRACT',
  'd-tampered/small-inner-gzip.bifract-archive': 'NOT_BIFRACT',
  'e-tolerated/long-31.bifract-archive': 'UNSUPPORTED',
  'g-lenient/header-version-2.bifract-archive': 'UNSUPPORTED',
  'g-lenient/header-version-0.bifract-archive': 'UNSUPPORTED',
  'g-lenient/header-version-float.bifract-archive': 'NOT_BIFRACT',
  'g-lenient/header-version-exp.bifract-archive': 'NOT_BIFRACT',
  'g-lenient/header-version-string.bifract-archive': 'NOT_BIFRACT',
  'g-lenient/header-version-null.bifract-archive': 'NOT_BIFRACT',
  'g-lenient/header-missing.bifract-archive': 'NOT_BIFRACT',
  'g-lenient/header-blank-line-first.bifract-archive': 'NOT_BIFRACT',
  'g-lenient/header-bom.bifract-archive': 'NOT_BIFRACT',
  'g-lenient/header-array.bifract-archive': 'NOT_BIFRACT',
  'g-lenient/header-invalid.bifract-archive': 'NOT_BIFRACT',
};
