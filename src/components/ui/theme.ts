import type { TextProps } from 'ink';
import { createContext } from 'react';
import { type ColorLevel, nearestColor, type ThemeName } from '../text/colors.ts';
import type { Tone } from '../text/line.ts';

type Style = Pick<TextProps, 'color' | 'dimColor' | 'bold' | 'inverse'>;

/** How text is drawn. */
export interface Theme {
  styles: Readonly<Record<Tone, Style>>;
  /** The cursor row and the active tab. They also have a mark: not all terminals show the style. */
  highlight: Style;
}

/** Colors by meaning. */
type Palette = Readonly<Record<'good' | 'bad' | 'warn' | 'info' | 'dim', string>>;

/** Readable on black and dark gray. */
const DARK: Palette = { good: '#87d787', bad: '#ff8787', warn: '#f2c55c', info: '#6cc7f5', dim: '#a3a8ae' };

/** Readable on white and light gray. */
const LIGHT: Palette = { good: '#0b6125', bad: '#b3191f', warn: '#7a4a00', info: '#005a8c', dim: '#585c61' };

/** The colors of a theme that has its own, as `#rrggbb`. */
export const PALETTES = { dark: DARK, light: LIGHT } as const;

function themeOf(palette: Palette, draw: (color: string) => string): Theme {
  const info = draw(palette.info);
  return {
    styles: {
      plain: {},
      dim: { color: draw(palette.dim) },
      good: { color: draw(palette.good) },
      bad: { color: draw(palette.bad) },
      warn: { color: draw(palette.warn) },
      info: { color: info },
      accent: { color: info },
      title: { color: info, bold: true },
    },
    highlight: { color: info, inverse: true },
  };
}

/** The terminal's own colors: they follow its palette. */
const SIXTEEN: Theme = {
  styles: {
    plain: {},
    dim: { dimColor: true },
    good: { color: 'green' },
    bad: { color: 'red' },
    warn: { color: 'yellow' },
    info: { color: 'cyan' },
    accent: { color: 'cyan' },
    title: { color: 'cyan', bold: true },
  },
  highlight: { color: 'cyan', inverse: true },
};

const NONE: Theme = {
  styles: { plain: {}, dim: {}, good: {}, bad: {}, warn: {}, info: {}, accent: {}, title: { bold: true } },
  highlight: { inverse: true },
};

/** A color as Ink takes it, for a terminal that has any color or only 256. */
export function drawnColor(color: string, level: ColorLevel): string {
  return level === 'truecolor' ? color : `ansi256(${nearestColor(color)})`;
}

/** The styles of a theme on a terminal. */
export function createTheme(name: ThemeName, level: ColorLevel): Theme {
  if (name === 'none') return NONE;
  return name === '16' ? SIXTEEN : themeOf(PALETTES[name], (color) => drawnColor(color, level));
}

/** The theme of the frame. */
export const ThemeContext = createContext(NONE);
