const UNITS = {
  iec: { step: 1024, names: ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] },
  si: { step: 1000, names: ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] },
} as const;
/** Powers of 1024 or of 1000. */
export type ByteUnits = keyof typeof UNITS;

const COUNTS = ['', 'k', 'M', 'G', 'T'];

function scaled(value: number, step: number, names: readonly string[]): { digits: string; name: string } {
  let index = 0;
  let rest = Math.abs(value);
  // Rounding would print 999.95 as 1000.0.
  while (rest >= step - (index === 0 ? 0.5 : 0.05) && index < names.length - 1) {
    rest /= step;
    index += 1;
  }
  const digits = index === 0 || rest >= 99.95 ? Math.round(rest).toString() : rest.toFixed(1);
  return { digits: value < 0 ? `-${digits}` : digits, name: names[index] ?? '' };
}

/** Bytes, by default in IEC units: `1.5 GiB`. */
export function formatBytes(bytes: number, units: ByteUnits = 'iec'): string {
  const { step, names } = UNITS[units];
  const { digits, name } = scaled(bytes, step, names);
  return `${digits} ${name}`;
}

/** A count in at most six columns: `1.2M`. */
export function formatCount(count: number): string {
  const { digits, name } = scaled(count, 1000, COUNTS);
  return digits + name;
}

/** A count with all digits: `1,234,567`. */
export function formatExact(count: number): string {
  return Math.round(count)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Rows per second: `1.2k rows/s`. */
export function formatRowRate(rate: number): string {
  return `${formatCount(rate)} rows/s`;
}

/** Bytes per second: `1.5 MiB/s`. */
export function formatByteRate(rate: number): string {
  return `${formatBytes(rate)}/s`;
}

/** A fraction in percent, rounded down: 100% means done. */
export function formatPercent(fraction: number): string {
  return `${Math.floor(Math.max(0, Math.min(1, fraction)) * 100)}%`;
}

/** A compression ratio: `9.4:1`; undefined if either size is missing or 0. */
export function formatRatio(bytesIn: number | undefined, bytesOut: number | undefined): string | undefined {
  if (!bytesIn || !bytesOut) return undefined;
  const ratio = bytesIn / bytesOut;
  return `${ratio >= 99.95 ? Math.round(ratio) : ratio.toFixed(1)}:1`;
}

/** A count with its noun: `1 job`, `1,200 jobs`. */
export function plural(count: number, noun: string, many = `${noun}s`): string {
  return `${formatExact(count)} ${count === 1 ? noun : many}`;
}
