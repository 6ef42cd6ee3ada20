const NANOSECONDS: Record<string, bigint> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n, // U+00B5, the micro sign
  μs: 1_000n, // U+03BC, the Greek letter
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const PART = /(?:(\d+)(?:\.(\d*))?|\.(\d+))(ns|us|µs|μs|ms|s|m|h)/y;
const LONGEST = 2n ** 63n;

/**
 * Parses a duration as Go's `time.ParseDuration` does (`1h30m`, `1.5h`, `90s`, `-5ms`, `0`) into nanoseconds;
 * undefined if it is invalid or does not fit into 64 bits.
 */
export function parseNanoseconds(text: string): bigint | undefined {
  const negative = text.startsWith('-');
  const body = text.replace(/^[+-]/, '');
  if (body === '0') return 0n;
  const sum = sumParts(body);
  if (sum === undefined || sum > LONGEST || (sum === LONGEST && !negative)) return undefined;
  return negative ? -sum : sum;
}

/** Like `parseNanoseconds`, in milliseconds, which may have a fraction. */
export function parseDuration(text: string): number | undefined {
  const nanoseconds = parseNanoseconds(text);
  return nanoseconds === undefined ? undefined : Number(nanoseconds) / 1e6;
}

function sumParts(body: string): bigint | undefined {
  if (body === '') return undefined;
  let sum = 0n;
  for (PART.lastIndex = 0; PART.lastIndex < body.length; ) {
    const match = PART.exec(body);
    if (!match) return undefined;
    const [, integer = '0', decimals = '', leadingFraction = '', unit = ''] = match;
    const size = NANOSECONDS[unit] ?? 0n;
    const fraction = decimals || leadingFraction;
    sum += BigInt(integer) * size + (BigInt(fraction || '0') * size) / 10n ** BigInt(fraction.length);
    if (sum > LONGEST) return undefined;
  }
  return sum;
}
