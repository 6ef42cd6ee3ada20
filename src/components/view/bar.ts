import type { Glyphs, Line } from './types.ts';

/** A bar of `columns`: full, a part of a cell where the glyphs have one, empty. */
export function progressBar(fraction: number, columns: number, glyphs: Glyphs): Line {
  const part = Math.max(0, Math.min(1, fraction)) * columns;
  const full = Math.floor(part);
  const eighth = glyphs.eighths[Math.floor((part - full) * 8) - 1] ?? '';
  return [
    { text: glyphs.full.repeat(full) + eighth, tone: 'accent' },
    { text: glyphs.empty.repeat(columns - full - eighth.length), tone: 'dim' },
  ];
}

/** A bar for work of unknown size: something that moves, and claims nothing. */
export function restlessBar(now: number, columns: number, glyphs: Glyphs): Line {
  const size = Math.max(1, Math.floor(columns / 5));
  const path = Math.max(1, columns - size);
  const step = Math.floor(now / 250) % (2 * path);
  const at = step < path ? step : 2 * path - step;
  return [
    { text: glyphs.empty.repeat(at), tone: 'dim' },
    { text: glyphs.full.repeat(size), tone: 'accent' },
    { text: glyphs.empty.repeat(Math.max(0, columns - size - at)), tone: 'dim' },
  ];
}
