import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats, statSync } from 'node:fs';
import { BifractError } from '../contract/errors.ts';

const MAX_BYTES = 16 << 20;

/**
 * Reads a settings file, or a file that a setting names. `ENV_INVALID` for what is no regular file or larger than 16 MiB:
 * a FIFO would wait for its writer forever, a device may never end, and opening one can change its state. Other errors
 * are system errors.
 */
export function readSettingsFile(path: string): Buffer {
  check(path, statSync(path));
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    check(path, fstatSync(file));
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

function check(path: string, found: Stats): void {
  if (found.isFile() && found.size <= MAX_BYTES) return;
  const what = found.isFile() ? 'larger than 16 MiB' : 'not a regular file';
  throw new BifractError('ENV_INVALID', `${path} is ${what}`, {
    hint: 'Replace it with a regular file, or change the setting that names it.',
  });
}
