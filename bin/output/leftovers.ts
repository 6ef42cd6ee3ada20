import type { Leftover } from '../../src/core/index.ts';
import { sanitize } from '../../src/core/text/sanitize.ts';

/** What could not be cleaned up and what to do, human-readable. */
export function leftoverLines(leftovers: readonly Leftover[]): string[] {
  return leftovers.flatMap(({ job, message, hint }) => [
    sanitize(`Not cleaned up after ${job}: ${message}`),
    ...(hint ? [`  ${sanitize(hint)}`] : []),
  ]);
}
