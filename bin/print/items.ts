import type { JobEvent } from '../../src/core/index.ts';

/** How one item of a job came out, in a line for people. */
export function itemLines({ item, ok, message, error }: Extract<JobEvent, { event: 'job:item' }>): string[] {
  return [
    ok ? `ok      ${item}: ${message}` : `FAILED  ${item}: ${message}${error ? ` [${error.code}]` : ''}`,
  ];
}
