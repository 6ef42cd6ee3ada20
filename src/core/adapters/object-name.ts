import { BifractError } from '../errors.ts';

const LONGEST_PART = 180;

/**
 * Whether a name is fit for an object in any storage: relative, its parts divided by `/`, none of them empty,
 * hidden, `.` or `..`, none with a backslash or a control character, none too long for a file system once
 * the name of an unfinished file is built around it.
 */
export function isObjectName(name: string): boolean {
  return name.split('/').every(isPart);
}

/** Throws `USAGE` where the name is not fit for an object. */
export function checkObjectName(name: string): void {
  if (isObjectName(name)) return;
  throw new BifractError('USAGE', `${JSON.stringify(name)} cannot be the name of a stored file`, {
    hint: 'No part of a name is empty, hidden or very long; none has a backslash or a control character.',
  });
}

function isPart(part: string): boolean {
  return (
    part !== '' &&
    !part.startsWith('.') &&
    !/[\\\u0000-\u001f\u007f]/.test(part) &&
    part.isWellFormed() &&
    Buffer.byteLength(part) <= LONGEST_PART
  );
}

/** Compares names as S3 orders them: by their bytes in UTF-8. */
export function compareNames(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
