import fc from 'fast-check';

/** Random fields that ClickHouse accepts, as JSON; some of the `count` are left out. */
export function randomDocuments(count: number, seed?: number): string[] {
  const key = fc.oneof(
    fc.constantFrom('a', 'b', 'c', 'a.b', 'x-y', 'ä', '"', ''),
    fc.string({ maxLength: 4 }),
  );
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc
      .date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString()),
  );
  const number = fc.oneof(
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  );
  const { tree } = fc.letrec((tie) => ({
    leaf: fc.oneof(text, number, fc.boolean(), fc.constant(null)),
    tree: fc.oneof(
      { depthSize: 'small' },
      tie('leaf'),
      fc.array(tie('tree'), { maxLength: 4 }),
      tie('object'),
    ),
    object: fc.dictionary(key, tie('tree'), { maxKeys: 5, noNullPrototype: true }),
  }));
  const documents = fc.sample(fc.dictionary(key, tree, { maxKeys: 6, noNullPrototype: true }), {
    numRuns: count,
    ...(seed === undefined ? {} : { seed }),
  });
  return documents.map((document) => JSON.stringify(document)).filter(isUnambiguous);
}

/** ClickHouse rejects integers of more than 64 bits. */
function isAccepted(number: number): boolean {
  return Math.abs(number) < 2 ** 63 || Math.abs(number) >= 1e21;
}

/** ClickHouse rejects objects in which two keys have the same path. */
function isUnambiguous(text: string): boolean {
  const unambiguous = (value: unknown): boolean => {
    if (typeof value === 'number') return isAccepted(value);
    if (Array.isArray(value)) return value.every(unambiguous);
    if (typeof value !== 'object' || value === null) return true;
    const paths = pathsOf(value, []);
    return new Set(paths).size === paths.length && Object.values(value).every(unambiguous);
  };
  return unambiguous(JSON.parse(text));
}

function pathsOf(value: object, above: string[]): string[] {
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = [...above, key];
    const nested = typeof inner === 'object' && inner !== null && !Array.isArray(inner);
    return nested ? pathsOf(inner as object, path) : [path.join('.')];
  });
}
