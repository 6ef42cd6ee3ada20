import { ageOf, formatAgo, formatStamp } from '../../../core/text/time.ts';
import { wrap } from '../../text/text.ts';
import type { Line, Span, Symbols, Tone } from '../types.ts';

const LABEL = 15;
const INDENT = '  ';

/** A heading followed by a rule. */
export function heading(title: string, columns: number, symbols: Symbols): Line {
  const rule = symbols.rule.repeat(Math.max(0, columns - title.length - 3));
  return [
    { text: ` ${title} `, tone: 'title', bold: true },
    { text: rule, tone: 'dim' },
  ];
}

/** A label and its value on one line. */
export function field(label: string, ...value: Span[]): Line {
  return [{ text: INDENT + label.padEnd(LABEL), tone: 'dim' }, ...value];
}

/** A label and a text of any length, wrapped next to it. */
export function longField(label: string, text: string, columns: number, tone: Tone = 'plain'): Line[] {
  const lines = wrap(text, Math.max(10, columns - INDENT.length - LABEL - 1));
  return lines.map((line, index) => field(index === 0 ? label : '', { text: line, tone }));
}

/** A time and its age. */
export function stamp(time: string | null, now: number): Line {
  const age = ageOf(time, now);
  const ago = age === undefined ? '' : `, ${formatAgo(age)}`;
  return [{ text: `${formatStamp(time)}${age === undefined ? '' : ' UTC'}` }, { text: ago, tone: 'dim' }];
}
