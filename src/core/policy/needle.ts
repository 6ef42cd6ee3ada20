import { BifractError } from '../errors.ts';

/** What is looked for in log lines: a text as it is, or a regular expression. */
export type Pattern = { text: string } | { regex: string; flags?: string };

/** A pattern made ready. */
export interface Needle {
  /** Whether a log line matches. */
  matches(raw: Buffer): boolean;
  /** ASCII text that every matching log line contains, in any case where `any_case`; empty where none is known. */
  literal: string;
  any_case: boolean;
}

const PRINTABLE = /[ -~]+/g;
/** How writers of JSON may put the characters that they do not leave as they are: as patterns. */
const STORED: Record<string, string> = {
  '"': '\\\\"',
  '\\': '\\\\\\\\',
  '/': '\\\\?/',
  '<': '(?:<|\\\\u003[cC])',
  '>': '(?:>|\\\\u003[eE])',
  '&': '(?:&|\\\\u0026)',
  "'": "(?:'|\\\\u0027)",
};
const ALLOWED_FLAGS = /^[imsuv]*$/;

/**
 * Makes a pattern ready. A text without capitals matches in any case. A regular expression sees the line as text,
 * bytes that are no UTF-8 as U+FFFD. Throws `USAGE` for an empty text or what is no regular expression.
 */
export function makeNeedle(pattern: Pattern): Needle {
  if ('regex' in pattern) return regexNeedle(pattern.regex, pattern.flags ?? '');
  const { text } = pattern;
  if (text === '')
    throw new BifractError('USAGE', 'The text to look for is empty', {
      hint: 'Give some text, or a regular expression.',
    });
  const literal = longest(text.match(PRINTABLE) ?? []);
  if (text !== text.toLowerCase()) {
    const bytes = Buffer.from(text);
    return { literal, any_case: false, matches: (raw) => raw.includes(bytes) };
  }
  const regex = new RegExp(escapeRegex(text), 'i');
  return { literal, any_case: true, matches: (raw) => regex.test(raw.toString('utf8')) };
}

/** How a literal can stand in the JSON of a line, as a pattern; `plain` where that is as it is. */
export function storedForm(literal: string): { pattern: string; plain: boolean } {
  const chars = [...literal];
  return {
    pattern: chars.map((char) => STORED[char] ?? escapeRegex(char)).join(''),
    plain: chars.every((char) => STORED[char] === undefined),
  };
}

function regexNeedle(source: string, flags: string): Needle {
  if (!ALLOWED_FLAGS.test(flags)) {
    throw new BifractError('USAGE', `These are no flags for a search: ${flags}`, {
      hint: 'There are i (any case), m, s, u and v.',
    });
  }
  let regex: RegExp;
  try {
    regex = new RegExp(source, flags);
  } catch (cause) {
    throw new BifractError('USAGE', `Not a regular expression: ${(cause as Error).message}`, {
      hint: 'The syntax is that of JavaScript.',
      cause,
    });
  }
  return {
    // Sets of the v flag nest, and with u a letter of ASCII matches others too.
    literal: regex.unicodeSets || (regex.unicode && regex.ignoreCase) ? '' : requiredLiteral(source),
    any_case: regex.ignoreCase,
    matches: (raw) => regex.test(raw.toString('utf8')),
  };
}

/**
 * A text that every match of a regular expression contains: the longest run of plain characters outside of all
 * groups and classes. Empty where there may be none: with alternatives, or escapes that stand for characters.
 */
function requiredLiteral(source: string): string {
  if (source.includes('|') || /\\[xuckpP0-9]/.test(source)) return '';
  const runs: string[] = [];
  let run = '';
  let depth = 0;
  const close = () => {
    runs.push(run);
    run = '';
  };
  for (let at = 0; at < source.length; at++) {
    const char = source[at] as string;
    if (char === '[') at = classEnd(source, at);
    else if (char === '\\') {
      const escaped = source[++at] ?? '';
      if (depth === 0 && /[!-/:-@[-`{-~]/.test(escaped)) {
        run += escaped;
        continue;
      }
    } else if (char === '(') depth++;
    else if (char === ')') depth--;
    else if ('?*{'.includes(char)) run = run.slice(0, -1);
    else if (depth === 0 && /[0-9A-Za-z _:;=@#%!,~"'<>&/-]/.test(char)) {
      run += char;
      continue;
    }
    close();
    if (char === '{') at = Math.max(at, source.indexOf('}', at));
  }
  close();
  return longest(runs);
}

function classEnd(source: string, open: number): number {
  for (let at = open + 1; at < source.length; at++) {
    if (source[at] === '\\') at++;
    else if (source[at] === ']') return at;
  }
  return source.length;
}

function longest(texts: readonly string[]): string {
  return texts.reduce((best, text) => (text.length > best.length ? text : best), '');
}

function escapeRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
