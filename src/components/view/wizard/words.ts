import { wrap } from '../text.ts';
import type { Line, Tone } from '../types.ts';

/** Sentences across the whole width, and an empty line below them. */
export function sentences(texts: readonly string[], columns: number, tone: Tone = 'plain'): Line[] {
  return [
    ...texts.flatMap((text) => wrap(text, columns - 3)).map((text): Line => [{ text: ` ${text}`, tone }]),
    [],
  ];
}
