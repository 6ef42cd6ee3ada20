import { BifractError, type ErrorReport } from '../errors.ts';

/** One of several things that failed, and why. */
export interface Failure {
  item: string;
  error: ErrorReport;
}

const NAMED = 10;

/**
 * The one error that several failures come to: the only item's own; the first's where all failed; else
 * `PARTLY_DONE`. A reason is said once, with the items it stands for. Undefined where nothing failed.
 */
export function combine(failures: readonly Failure[], items: number, deed: string): BifractError | undefined {
  const [first] = failures;
  if (first === undefined) return undefined;
  const { code, hint } = first.error;
  if (items === 1) return new BifractError(code, named(first), { hint });
  const reasons = [...Map.groupBy(failures, reason).values()].map(told);
  const some = reasons.slice(0, NAMED);
  const more = reasons.length > NAMED ? [`and ${reasons.length - NAMED} other reasons`] : [];
  const all = failures.length === items;
  const count = all ? `All ${items}` : `${failures.length} of ${items}`;
  return new BifractError(all ? code : 'PARTLY_DONE', `${count} ${deed}: ${[...some, ...more].join('; ')}`, {
    hint,
  });
}

/** Why an item failed, whichever it was. */
function reason({ item, error }: Failure): string {
  return error.message.replaceAll(item, '');
}

/** Those that failed for one reason. */
function told(alike: readonly Failure[]): string {
  const [first, ...others] = alike as [Failure, ...Failure[]];
  if (others.length === 0) return named(first);
  const items = others.slice(0, NAMED - 1).map(({ item }) => item);
  const names = `${items.join(', ')}${others.length > items.length ? ', …' : ''}`;
  return `${named(first)} (the same for ${others.length} more: ${names})`;
}

function named({ item, error }: Failure): string {
  return error.message.includes(item) ? error.message : `${item}: ${error.message}`;
}
