import type { Line, Span } from '../text/line.ts';
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

/** A text with its matches highlighted. */
export function highlight(text: string, search: Search | undefined, style: Pick<Span, 'tone'> = {}): Line {
  if (!search) return [{ text, ...style }];
  const spans: Span[] = [];
  let at = 0;
  for (const { index, 0: match } of text.matchAll(matcher(search))) {
    if (match === '') continue;
    spans.push({ text: text.slice(at, index), ...style }, { text: match, tone: 'warn', bold: true });
    at = index + match.length;
  }
  return [...spans, { text: text.slice(at), ...style }];
}
