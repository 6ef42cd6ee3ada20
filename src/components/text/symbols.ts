import type { Symbols } from '../view/types.ts';

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
