import { wrap } from '../text.ts';
import type { Line, Tone } from '../types.ts';
import type { WizardChoice } from './types.ts';

/** Sentences across the whole width, and an empty line below them. */
export function sentences(texts: readonly string[], columns: number, tone: Tone = 'plain'): Line[] {
  return [
    ...texts.flatMap((text) => wrap(text, columns - 3)).map((text): Line => [{ text: ` ${text}`, tone }]),
    [],
  ];
}

/** What can be done with a plan: `deed` is what starts it, `blocked` why that cannot be now. */
export function planChoices(deed: string, blocked: string | undefined): WizardChoice[] {
  return [
    { id: 'again', label: 'Plan again' },
    {
      id: 'next',
      label: `Go on: ${deed}`,
      disabled: blocked,
      tone: 'warn',
      about: blocked && `Not now: ${blocked}`,
    },
  ];
}
