import { BifractError } from '../../contract/errors.ts';

const MAX_PART_BYTES = 180;

/**
 * Whether a name is valid in every storage: relative, with `/` as separator; no part empty, hidden, `.` or `..`, with a
 * backslash or a control character, or too long for a file system even as the name of an unfinished file.
 */
export function isObjectName(name: string): boolean {
  return name.split('/').every(isPart);
}

/** Throws `USAGE` for an invalid name. */
export function checkObjectName(name: string): void {
  if (isObjectName(name)) return;
  throw new BifractError('USAGE', `Invalid file name: ${JSON.stringify(name)}`, {
    hint: 'No part of the name may be empty, hidden or very long, or contain a backslash or a control character.',
  });
}

function isPart(part: string): boolean {
  return (
    part !== '' &&
    !part.startsWith('.') &&
    !/[\\\u0000-\u001f\u007f]/.test(part) &&
    part.isWellFormed() &&
    Buffer.byteLength(part) <= MAX_PART_BYTES
  );
}

/** Compares names by their UTF-8 bytes, as S3 does. */
export function compareNames(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
