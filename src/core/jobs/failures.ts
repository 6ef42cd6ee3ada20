import { BifractError, type ErrorReport } from '../errors.ts';

/** One of several things that failed, and why. */
export interface Failure {
  item: string;
  error: ErrorReport;
}

const NAMED = 10;

/**
 * The one error that several failures come to: the only item's own; the first's where all failed; else
 * `PARTLY_DONE`. Each is named. Undefined where nothing failed.
 */
export function combine(failures: readonly Failure[], items: number, deed: string): BifractError | undefined {
  const [first] = failures;
  if (first === undefined) return undefined;
  const { code, hint } = first.error;
  if (items === 1) return new BifractError(code, named(first), { hint });
  const some = failures.slice(0, NAMED).map(named);
  const more = failures.length > NAMED ? [`and ${failures.length - NAMED} more`] : [];
  const all = failures.length === items;
  const count = all ? `All ${items}` : `${failures.length} of ${items}`;
  return new BifractError(all ? code : 'PARTLY_DONE', `${count} ${deed}: ${[...some, ...more].join('; ')}`, {
    hint,
  });
}

function named({ item, error }: Failure): string {
  return error.message.includes(item) ? error.message : `${item}: ${error.message}`;
}
