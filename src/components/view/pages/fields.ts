import { formatAgo, timeOf } from '../../../core/text/time.ts';
import { formatStamp, zoneOf } from '../../text/display.ts';
import { type Line, lineWidth, type Span, type Tone } from '../../text/line.ts';
import type { Symbols } from '../../text/symbols.ts';
import { cutMiddle, wrap } from '../../text/text.ts';

const LABEL = 16;
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

/** Below this width, paths, IDs and checksums are cut in the middle: they would take several lines. */
const NARROW = 60;

/** A label and a text of any length, wrapped next to it. */
export function longField(label: string, text: string, columns: number, tone: Tone = 'plain'): Line[] {
  const room = Math.max(10, columns - INDENT.length - LABEL - 1);
  const words = columns < NARROW ? text.split(' ').map((word) => cutMiddle(word, room)) : [text];
  const lines = wrap(words.join(' '), room);
  return lines.map((line, index) => field(index === 0 ? label : '', { text: line, tone }));
}

/** A text of any length, wrapped. */
export function indented(text: string, columns: number, tone: Tone = 'plain'): Line[] {
  const lines = wrap(text, Math.max(10, columns - INDENT.length - 1));
  return lines.map((line) => [{ text: INDENT + line, tone }]);
}

/** Parts that belong together, as many on a line as fit. */
export function flowed(parts: readonly Line[], columns: number): Line[] {
  const lines: Line[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last && lineWidth([...last, ...part]) < columns) lines[lines.length - 1] = [...last, ...part];
    else lines.push(part);
  }
  return lines;
}

/** A time and its age. */
export function stamp(time: string | null, now: number): Line {
  const at = timeOf(time);
  if (at === undefined) return [{ text: '-' }];
  const ago = `, ${formatAgo(Math.max(0, now - at))}`;
  return [{ text: `${formatStamp(at)} ${zoneOf(at)}` }, { text: ago, tone: 'dim' }];
}

/** Wrapped paragraphs, followed by an empty line. */
export function paragraphs(texts: readonly string[], columns: number, tone: Tone = 'plain'): Line[] {
  return [
    ...texts.flatMap((text) => wrap(text, columns - 3)).map((text): Line => [{ text: ` ${text}`, tone }]),
    [],
  ];
}
