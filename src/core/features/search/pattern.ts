import { BifractError } from '../../contract/errors.ts';
import type { SearchPattern } from './contract.ts';

/** A pattern, ready for matching. */
export interface CompiledPattern {
  matches(raw: Buffer): boolean;
  /** ASCII text that every matching line contains, in any case if `any_case`; empty if unknown. */
  literal: string;
  any_case: boolean;
}

const PRINTABLE = /[ -~]+/g;
/**
 * How JSON writers may escape these characters, as regular expressions. Where the text of the fields is searched, which is
 * JSON itself, they stand as they are.
 */
const JSON_ESCAPES: Record<string, string> = {
  '"': '\\\\?"',
  '\\': '\\\\{1,2}',
  '/': '\\\\?/',
  '<': '(?:<|\\\\u003[cC])',
  '>': '(?:>|\\\\u003[eE])',
  '&': '(?:&|\\\\u0026)',
  "'": "(?:'|\\\\u0027)",
};
const ALLOWED_FLAGS = /^[imsuv]*$/;

/**
 * Compiles a pattern. Text without capitals is case-insensitive. A regular expression sees the line as text, invalid
 * UTF-8 as U+FFFD. Throws `USAGE` for empty text or an invalid regular expression.
 */
export function compilePattern(pattern: SearchPattern): CompiledPattern {
  if ('regex' in pattern) return compileRegex(pattern.regex, pattern.flags ?? '');
  const { text } = pattern;
  if (text === '')
    throw new BifractError('USAGE', 'The search text is empty', {
      hint: 'Enter text or a regular expression.',
    });
  const literal = longest(text.match(PRINTABLE) ?? []);
  if (text !== text.toLowerCase()) {
    const bytes = Buffer.from(text);
    return { literal, any_case: false, matches: (raw) => raw.includes(bytes) };
  }
  const regex = new RegExp(escapeRegex(text), 'i');
  return { literal, any_case: true, matches: (raw) => regex.test(raw.toString('utf8')) };
}

/** A regular expression for a literal as it may be written in JSON; `plain` if it is never escaped. */
export function jsonPattern(literal: string): { pattern: string; plain: boolean } {
  const chars = [...literal];
  return {
    pattern: chars.map((char) => JSON_ESCAPES[char] ?? escapeRegex(char)).join(''),
    plain: chars.every((char) => JSON_ESCAPES[char] === undefined),
  };
}

function compileRegex(source: string, flags: string): CompiledPattern {
  if (!ALLOWED_FLAGS.test(flags)) {
    throw new BifractError('USAGE', `Invalid regular expression flags: ${flags}`, {
      hint: 'Supported flags: i (ignore case), m, s, u and v.',
    });
  }
  let regex: RegExp;
  try {
    regex = new RegExp(source, flags);
  } catch (cause) {
    throw new BifractError('USAGE', `Invalid regular expression: ${(cause as Error).message}`, {
      hint: 'Use JavaScript syntax.',
      cause,
    });
  }
  return {
    // Sets nest with the v flag, and with u and i ASCII letters also match others.
    literal: regex.unicodeSets || (regex.unicode && regex.ignoreCase) ? '' : requiredLiteral(source),
    any_case: regex.ignoreCase,
    matches: (raw) => regex.test(raw.toString('utf8')),
  };
}

/**
 * Text that every match contains: the longest run of plain characters outside of groups and classes. Empty if
 * unknown: with alternatives, or escapes that stand for characters.
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
