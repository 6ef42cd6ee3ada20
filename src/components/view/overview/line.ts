import type { Span, Tone } from '../../text/line.ts';
import { field } from '../pages/fields.ts';
import type { Loaded, Screen } from '../types.ts';

/** A line of the overview, and the screen where what it shows can be fixed. */
export interface OverviewLine {
  id: string;
  spans: readonly Span[];
  /** Where Enter leads; the cursor skips lines without it. */
  target?: Screen;
}

/** A line with a label, and a target. */
export function labeled(id: string, label: string, target: Screen, ...value: Span[]): OverviewLine {
  return { id, spans: field(label, ...value), target };
}

/** Instead of a value that is loading, or failed to load. */
export function missing({ value, error }: Loaded<unknown>): Span | undefined {
  if (value !== undefined) return undefined;
  return error ? { text: error.message, tone: 'bad' } : { text: 'loading…', tone: 'dim' };
}

/** A symbol and a text, in the same tone; only the symbol is colored if all is well. */
export function marked(symbol: string, tone: Tone, text: string): Span[] {
  return [
    { text: `${symbol} `, tone },
    { text, tone: tone === 'good' ? 'plain' : tone },
  ];
}
