import type { Line, Symbols } from '../view/types.ts';

/** A progress bar `columns` wide, drawn in eighths of a cell if the symbols have them. */
export function progressBar(fraction: number, columns: number, symbols: Symbols): Line {
  const part = Math.max(0, Math.min(1, fraction)) * columns;
  const full = Math.floor(part);
  const eighth = symbols.eighths[Math.floor((part - full) * 8) - 1] ?? '';
  return [
    { text: symbols.full.repeat(full) + eighth, tone: 'accent' },
    { text: symbols.empty.repeat(columns - full - eighth.length), tone: 'dim' },
  ];
}

/** A moving bar for work of unknown size. */
export function indeterminateBar(now: number, columns: number, symbols: Symbols): Line {
  const size = Math.max(1, Math.floor(columns / 5));
  const path = Math.max(1, columns - size);
  const step = Math.floor(now / 250) % (2 * path);
  const at = step < path ? step : 2 * path - step;
  return [
    { text: symbols.empty.repeat(at), tone: 'dim' },
    { text: symbols.full.repeat(size), tone: 'accent' },
    { text: symbols.empty.repeat(Math.max(0, columns - size - at)), tone: 'dim' },
  ];
}
