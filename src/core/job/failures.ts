import { BifractError, type ErrorReport } from '../contract/errors.ts';

/** A failed item, and why. */
export interface Failure {
  item: string;
  error: ErrorReport;
}

const NAMED = 10;

/**
 * Combines failures into one error: the error itself for a single item; the code of the first if all failed;
 * else `PARTLY_DONE`. Items with the same reason are grouped. Undefined without failures.
 */
export function combine(
  failures: readonly Failure[],
  items: number,
  action: string,
): BifractError | undefined {
  const [first] = failures;
  if (first === undefined) return undefined;
  const { code, hint } = first.error;
  if (items === 1) return new BifractError(code, named(first), { hint });
  const reasons = [...Map.groupBy(failures, reason).values()].map(describeGroup);
  const some = reasons.slice(0, NAMED);
  const more = reasons.length > NAMED ? [`and ${reasons.length - NAMED} other reasons`] : [];
  const all = failures.length === items;
  const count = `${failures.length} of ${items}`;
  return new BifractError(
    all ? code : 'PARTLY_DONE',
    `${count} ${action}: ${[...some, ...more].join('; ')}`,
    {
      hint,
    },
  );
}

/** The refused items of a plan as one error; undefined if there are none. */
export function combineRefusals<Item extends { refusal: ErrorReport | null }>(
  items: readonly Item[],
  { name, failed }: { name(item: Item): string; failed: string },
): BifractError | undefined {
  const failures = items.flatMap((item) => (item.refusal ? [{ item: name(item), error: item.refusal }] : []));
  return combine(failures, items.length, failed);
}

/** The reason without the item name. */
function reason({ item, error }: Failure): string {
  return error.message.replaceAll(item, '');
}

/** Items that failed for the same reason. */
function describeGroup(alike: readonly Failure[]): string {
  const [first, ...others] = alike as [Failure, ...Failure[]];
  if (others.length === 0) return named(first);
  const items = others.slice(0, NAMED - 1).map(({ item }) => item);
  const names = `${items.join(', ')}${others.length > items.length ? ', …' : ''}`;
  return `${named(first)} (the same for ${others.length} more: ${names})`;
}

function named({ item, error }: Failure): string {
  return error.message.includes(item) ? error.message : `${item}: ${error.message}`;
}
