import type { TextProps } from 'ink';
import { createContext } from 'react';
import type { Tone } from '../text/line.ts';

type Style = Pick<TextProps, 'color' | 'dimColor' | 'bold' | 'inverse'>;

/** Styles by tone. Only the 16 ANSI colors, so that they follow the light or dark palette of the terminal. */
export const STYLES: Readonly<Record<Tone, Style>> = {
  plain: {},
  dim: { dimColor: true },
  good: { color: 'green' },
  bad: { color: 'red' },
  warn: { color: 'yellow' },
  info: { color: 'cyan' },
  accent: { color: 'cyan' },
  title: { color: 'cyan', bold: true },
};

/** Style of the cursor row and the active tab. */
export const HIGHLIGHT: Style = { color: 'cyan', inverse: true };

export const NO_STYLE: Style = {};

/** Whether text is drawn with colors and other styles. */
export const ColorContext = createContext(true);
