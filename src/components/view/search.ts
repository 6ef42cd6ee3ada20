import type { Line, Span } from '../text/line.ts';
import { withinTime } from '../text/within-time.ts';
import type { Search } from './types.ts';

export const SEARCH_HINT = 'text (ignores case unless it has capitals), or /regex/i';

const REGEX = /^\/(.+)\/([imsuv]*)$/;

/** Parses the input of a search. `problem` says why it is invalid. */
export function parseSearch(typed: string): Search | { problem: string } {
  const [, regex, flags = ''] = REGEX.exec(typed) ?? [];
  if (regex === undefined) return { input: typed, pattern: { text: typed } };
  try {
    new RegExp(regex, flags);
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
  return { input: typed, pattern: { regex, flags } };
}

function matcher({ pattern }: Search): RegExp {
  if ('regex' in pattern) return new RegExp(pattern.regex, `${pattern.flags}g`);
  const { text } = pattern;
  return new RegExp(text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'), text === text.toLowerCase() ? 'gi' : 'g');
}

/** Start and end of a match in a text. */
export type Match = readonly [start: number, end: number];

/** A frame must not wait longer for matches. */
const LIMIT_MS = 30;
const slow = new WeakSet<Search>();

/** The matches in each text; none if the regular expression takes too long, now and from then on. */
export function matchesIn(texts: readonly string[], search: Search): readonly (readonly Match[])[] {
  const find = () => texts.map((text) => matchesOf(text, search));
  if (!('regex' in search.pattern)) return find();
  const found = slow.has(search) ? undefined : withinTime(LIMIT_MS, find);
  if (found === undefined) slow.add(search);
  return found ?? texts.map(() => []);
}

function matchesOf(text: string, search: Search): Match[] {
  return Array.from(
    text.matchAll(matcher(search)),
    ({ index, 0: match }): Match => [index, index + match.length],
  ).filter(([start, end]) => end > start);
}

/** A text with its matches highlighted. */
export function highlight(text: string, matches: readonly Match[]): Line {
  const spans: Span[] = [];
  let at = 0;
  for (const [start, end] of matches) {
    spans.push({ text: text.slice(at, start) }, { text: text.slice(start, end), tone: 'warn', bold: true });
    at = end;
  }
  return [...spans, { text: text.slice(at) }];
}
