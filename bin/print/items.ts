import type { JobEvent } from '../../src/core/index.ts';

/** The outcome of one item of a job, for people. */
export function itemLines({ item, ok, message, error }: Extract<JobEvent, { event: 'job:item' }>): string[] {
  return [
    ok ? `ok      ${item}: ${message}` : `FAILED  ${item}: ${message}${error ? ` [${error.code}]` : ''}`,
  ];
}
