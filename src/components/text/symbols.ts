import type { Line } from './line.ts';

const UNICODE: Symbols = {
  ok: '✓',
  bad: '✗',
  warn: '!',
  dot: '·',
  cursor: '▌',
  selected: '●',
  ellipsis: '…',
  rule: '─',
  full: '█',
  empty: '░',
  eighths: ['▏', '▎', '▍', '▌', '▋', '▊', '▉'],
  levels: ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
  spinner: ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'],
  breadcrumb: '›',
  up: '↑',
  down: '↓',
  padlock: '🔒',
  box: { tl: '╭', tr: '╮', bl: '╰', br: '╯', h: '─', v: '│' },
};

const ASCII: Symbols = {
  ok: '+',
  bad: 'x',
  warn: '!',
  dot: '-',
  cursor: '>',
  selected: '*',
  ellipsis: '~',
  rule: '-',
  full: '#',
  empty: '.',
  eighths: [],
  levels: ['_', '.', ':', '-', '=', '+', '*', '#'],
  spinner: ['|', '/', '-', '\\'],
  breadcrumb: '>',
  up: '^',
  down: 'v',
  padlock: '[locked]',
  box: { tl: '+', tr: '+', bl: '+', br: '+', h: '-', v: '|' },
};

/** Whether the locale in these environment variables uses UTF-8. */
export function isUtf8(env: Record<string, string | undefined>): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  return /utf-?8/i.test(locale);
}

/** The symbols for a UTF-8 or an ASCII terminal. */
export function symbolsFor(utf8: boolean): Symbols {
  return utf8 ? UNICODE : ASCII;
}

/** The frame of the spinner at a time in milliseconds. */
export function spinnerAt(symbols: Symbols, now: number): string {
  return symbols.spinner[Math.floor(now / 250) % symbols.spinner.length] ?? '';
}

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

/** Values as a line of bars, one column each, from the lowest value to the highest. */
export function sparkline(values: readonly number[], { levels }: Symbols): string {
  const low = Math.min(...values);
  const span = Math.max(...values) - low;
  const bar = (value: number) => (span === 0 ? 0 : Math.round(((value - low) / span) * (levels.length - 1)));
  return values.map((value) => levels[bar(value)] ?? '').join('');
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

/** Drawing characters: one set for UTF-8, one for ASCII. Each is one column wide, except `padlock`. */
export interface Symbols {
  ok: string;
  bad: string;
  warn: string;
  dot: string;
  cursor: string;
  selected: string;
  ellipsis: string;
  rule: string;
  full: string;
  empty: string;
  /** Partial cells from one to seven eighths; empty in ASCII. */
  eighths: readonly string[];
  /** Bars of a sparkline, the lowest first. */
  levels: readonly string[];
  spinner: readonly string[];
  breadcrumb: string;
  up: string;
  down: string;
  padlock: string;
  box: { tl: string; tr: string; bl: string; br: string; h: string; v: string };
}
