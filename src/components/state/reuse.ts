type Record = Readonly<{ [key: string]: unknown }>;

function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  return typeof a === 'object' && typeof b === 'object' && JSON.stringify(a) === JSON.stringify(b);
}

function sameRecord(a: Record, b: Record): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => sameValue(a[key], b[key]));
}

/**
 * A list that was loaded again, with the records of the list before where nothing has changed; the list before if nothing
 * has at all. Whatever was made of them is then still valid. Other values are returned as they are.
 */
export function reuseUnchanged(before: unknown, now: unknown): unknown {
  if (!Array.isArray(before) || !Array.isArray(now)) return now;
  const known = new Map(before.map((record: Record) => [record.id ?? record.name, record]));
  const merged = now.map((record: Record) => {
    const old = known.get(record.id ?? record.name);
    return old && sameRecord(old, record) ? old : record;
  });
  return merged.length === before.length && merged.every((record, index) => record === before[index])
    ? before
    : merged;
}
