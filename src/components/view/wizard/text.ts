import { wrap } from '../../text/text.ts';
import type { Line, Tone } from '../types.ts';
import type { WizardChoice } from './types.ts';

/** Wrapped paragraphs, followed by an empty line. */
export function paragraphs(texts: readonly string[], columns: number, tone: Tone = 'plain'): Line[] {
  return [
    ...texts.flatMap((text) => wrap(text, columns - 3)).map((text): Line => [{ text: ` ${text}`, tone }]),
    [],
  ];
}

/** Choices below a plan. `confirmation` says what to type to start it, `blocked` why it cannot be started. */
export function planChoices(confirmation: string | undefined, blocked: string | undefined): WizardChoice[] {
  return [
    { id: 'again', label: 'Plan again' },
    {
      id: 'next',
      label: confirmation ? `Continue: ${confirmation}` : 'Continue',
      disabled: blocked,
      tone: 'warn',
      description: blocked && `Not now: ${blocked}`,
    },
  ];
}
