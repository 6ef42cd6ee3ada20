import type { TextProps } from 'ink';
import type { Tone } from './view/types.ts';

type Look = Pick<TextProps, 'color' | 'dimColor' | 'bold' | 'inverse'>;

/** How a meaning looks: only the terminal's own sixteen colours, so that its palette decides on light and dark. */
export const LOOKS: Readonly<Record<Tone, Look>> = {
  plain: {},
  dim: { dimColor: true },
  good: { color: 'green' },
  bad: { color: 'red' },
  warn: { color: 'yellow' },
  info: { color: 'cyan' },
  accent: { color: 'cyan' },
  title: { color: 'cyan', bold: true },
};

/** The bar under the cursor, and what else is chosen. */
export const CHOSEN: Look = { color: 'cyan', inverse: true };

export const NO_LOOK: Look = {};
