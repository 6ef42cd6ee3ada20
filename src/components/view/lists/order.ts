export type SortValue = number | string | undefined;

const ASCII = /^[\x20-\x7e]*$/;
const MARKS = /\p{M}+/gu;

/** A text that is ordered as people expect, without case and accents: comparing by locale takes a hundred times as long. */
function keyOf(value: SortValue): SortValue {
  if (typeof value !== 'string') return value;
  return ASCII.test(value) ? value.toLowerCase() : value.normalize('NFD').replace(MARKS, '').toLowerCase();
}

/** A number for each value, in their order; those without a value come last, also in descending order. */
function ranksOf(values: readonly SortValue[], descending: boolean): Float64Array {
  const distinct = [...new Set(values)].filter((value) => value !== undefined);
  const sorted = distinct.sort((a, b) => (a < b ? -1 : Number(a > b)));
  const ranks = new Map<SortValue, number>(sorted.map((value, rank) => [value, descending ? -rank : rank]));
  return Float64Array.from(values, (value) => ranks.get(value) ?? Number.POSITIVE_INFINITY);
}

/** Records sorted by a value; those with the same one stay in their order. */
export function sortBy<T>(
  records: readonly T[],
  value: (record: T) => SortValue,
  descending: boolean,
): readonly T[] {
  const ranks = ranksOf(
    records.map((record) => keyOf(value(record))),
    descending,
  );
  const rankAt = (place: number) => ranks[place] as number;
  const places = Uint32Array.from(records, (_, place) => place);
  places.sort((a, b) => (rankAt(a) === rankAt(b) ? a - b : rankAt(a) < rankAt(b) ? -1 : 1));
  return Array.from(places, (place) => records[place] as T);
}
