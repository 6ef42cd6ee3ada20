/** What the terminal can draw: attributes such as bold only, its own 16 colors, the 256 of xterm, or any color. */
export type ColorLevel = 'none' | '16' | '256' | 'truecolor';

/** The colors that are drawn. `16` are those of the terminal, `none` are attributes only. */
export type ThemeName = 'dark' | 'light' | '16' | 'none';

/** A theme, or the one for the terminal's background. */
export type ThemeChoice = ThemeName | 'auto';

export const THEME_CHOICES: readonly ThemeChoice[] = ['auto', 'dark', 'light', '16', 'none'];

export type Background = 'dark' | 'light';

type Environment = Readonly<Record<string, string | undefined>>;

/** Terminals with 24-bit color whose names do not say so. SSH passes TERM on, but not COLORTERM. */
const TRUECOLOR =
  /^(?:alacritty|contour|foot|ghostty|kitty|konsole|rio|wezterm|xterm-(?:ghostty|kitty))|-direct\d*$/;

/** Monochrome variants of terminals, as terminfo names them. */
const MONOCHROME = /^dumb$|-(?:m|mono)$/;

const FORCED: Readonly<Record<string, ColorLevel>> = {
  0: 'none',
  false: 'none',
  1: '16',
  2: '256',
  3: 'truecolor',
};

/**
 * The colors to draw: none with `--no-color` or NO_COLOR, else what FORCE_COLOR says, else what COLORTERM and TERM promise.
 * A terminal without a known name gets 16: only the oldest have none, and they ignore them.
 */
export function colorLevel(env: Environment, color: boolean): ColorLevel {
  const { NO_COLOR, FORCE_COLOR = '', COLORTERM = '', TERM = '', TMUX } = env;
  if (!color || NO_COLOR) return 'none';
  const forced = FORCED[FORCE_COLOR];
  if (forced) return forced;
  if (TERM === '' || MONOCHROME.test(TERM)) return FORCE_COLOR === '' ? 'none' : '16';
  // Screen inherits COLORTERM from the terminal it was started in, and garbles 24-bit colors. tmux converts them.
  const screen = TERM.startsWith('screen') && !TMUX;
  if (!screen && (/^(?:truecolor|24bit)$/.test(COLORTERM) || TRUECOLOR.test(TERM))) return 'truecolor';
  return /-?256(?:color)?$/.test(TERM) ? '256' : '16';
}

/** The theme to draw. Dark and light need 256 colors; without a known background, the terminal's own 16 are safest. */
export function themeFor(
  choice: ThemeChoice,
  level: ColorLevel,
  background: Background | undefined,
): ThemeName {
  if (level === 'none' || choice === 'none') return 'none';
  if (level === '16' || choice === '16') return '16';
  return choice === 'auto' ? (background ?? '16') : choice;
}

/** The background by COLORFGBG, `foreground;background` as numbers of the 16 colors. */
export function backgroundOfEnvironment({ COLORFGBG = '' }: Environment): Background | undefined {
  const color = /;(\d{1,2})$/.exec(COLORFGBG)?.[1];
  if (color === undefined) return undefined;
  return color === '7' || Number(color) > 8 ? 'light' : 'dark';
}

/** Whether a color with channels from 0 to 255 is light or dark, as people see it. */
export function backgroundOf({ red, green, blue }: { red: number; green: number; blue: number }): Background {
  return 0.299 * red + 0.587 * green + 0.114 * blue > 127.5 ? 'light' : 'dark';
}

/** Values of red, green and blue, from 0 to 255. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** The components of `#rrggbb`. */
export function rgbOf(hex: string): Rgb {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

const STEPS = [0, 95, 135, 175, 215, 255];

/** The colors of the palette of 256 that all terminals agree on: the cube from 16 on, and the grays from 232 on. */
export const PALETTE: readonly Rgb[] = [
  ...STEPS.flatMap((red) => STEPS.flatMap((green) => STEPS.map((blue): Rgb => [red, green, blue]))),
  ...Array.from({ length: 24 }, (_, index): Rgb => [8 + 10 * index, 8 + 10 * index, 8 + 10 * index]),
];

/** Index of the first color of `PALETTE`: those before it are the terminal's own 16. */
export const FIRST_COLOR = 16;

function distance(a: Rgb, b: Rgb): number {
  return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2;
}

/** The color of the palette of 256 nearest to `#rrggbb`. */
export function nearestColor(hex: string): number {
  const wanted = rgbOf(hex);
  const distances = PALETTE.map((color) => distance(color, wanted));
  return FIRST_COLOR + distances.indexOf(Math.min(...distances));
}
