import type { Glyphs } from './types.ts';

const UNICODE: Glyphs = {
  ok: '✓',
  bad: '✗',
  warn: '!',
  dot: '·',
  cursor: '▌',
  mark: '●',
  more: '…',
  rule: '─',
  full: '█',
  empty: '░',
  eighths: ['▏', '▎', '▍', '▌', '▋', '▊', '▉'],
  spinner: ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'],
  trail: '›',
  between: '│',
  up: '↑',
  down: '↓',
  padlock: '🔒',
  box: { tl: '╭', tr: '╮', bl: '╰', br: '╯', h: '─', v: '│' },
};

const ASCII: Glyphs = {
  ok: '+',
  bad: 'x',
  warn: '!',
  dot: '-',
  cursor: '>',
  mark: '*',
  more: '~',
  rule: '-',
  full: '#',
  empty: '.',
  eighths: [],
  spinner: ['|', '/', '-', '\\'],
  trail: '>',
  between: '|',
  up: '^',
  down: 'v',
  padlock: '[locked]',
  box: { tl: '+', tr: '+', bl: '+', br: '+', h: '-', v: '|' },
};

/** Whether the locale of these variables writes UTF-8. */
export function isUtf8(env: Record<string, string | undefined>): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  return /utf-?8/i.test(locale);
}

/** The characters to draw with. */
export function glyphsFor(utf8: boolean): Glyphs {
  return utf8 ? UNICODE : ASCII;
}

/** The frame of a spinner at this time. */
export function spinnerAt(glyphs: Glyphs, now: number): string {
  return glyphs.spinner[Math.floor(now / 250) % glyphs.spinner.length] ?? '';
}
