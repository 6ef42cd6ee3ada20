import { inspect } from 'node:util';
import { mask } from '../../src/core/text/mask.ts';
import { sanitize } from '../../src/core/text/sanitize.ts';

/** Prints an unexpected error with its stack to stderr, for bug reports. */
export function printFault(error: unknown): void {
  for (const line of mask(inspect(error)).split('\n')) process.stderr.write(`${sanitize(line)}\n`);
}
