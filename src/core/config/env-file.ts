import { BifractError } from '../contract/errors.ts';

/** The variables of an environment file, in the order in which the file first names them. */
export type EnvVars = Record<string, string>;

/**
 * Reads a `.env` file as Docker Compose does: `KEY=VALUE` or `KEY: VALUE` with an optional `export`, quotes, escapes,
 * comments, and references to variables of `environment` or of earlier lines.
 *
 * Differences: a single CR also ends a line, a line that is not valid is skipped, and a quote that is never closed is an
 * ordinary character. If a key is repeated, the last value wins. Throws `ENV_INVALID` if the file is UTF-16 or UTF-32.
 */
export function parseEnvFile(bytes: Uint8Array, environment: NodeJS.ProcessEnv = {}): EnvVars {
  const vars = new Map<string, string>();
  const lookup = (name: string) => {
    const outer = environment[name];
    return outer ? fromText(outer) : vars.get(name);
  };
  for (const entry of scan(bytesOf(bytes))) vars.set(entry.name, readValue(entry, lookup));
  return Object.fromEntries([...vars].map(([name, value]) => [name, toText(value)]));
}

/**
 * Sets variables in a `.env` file to values that need no quotes. Replaces the value of the last line that sets a
 * variable, or appends a line. Every other byte, and every other variable, stays the same: this is checked.
 *
 * Throws `ENV_INVALID` if the file is UTF-16 or UTF-32, if an appended line would be the second one for its variable, or
 * if the value is a reference to another variable.
 */
export function setVariables(bytes: Uint8Array, variables: Record<string, string>): Buffer {
  const before = bytesOf(bytes);
  let after = before;
  for (const [name, value] of Object.entries(variables)) {
    const entry = scan(after).findLast((one) => one.name === name);
    after = entry ? replace(after, entry, value) : append(after, name, value);
  }
  requireSame(scan(before), scan(after), variables);
  return Buffer.from(after, 'latin1');
}

/** A variable in the text of a file. */
interface Entry {
  name: string;
  /** Where its value is, between the quotes if it has some. */
  start: number;
  end: number;
  quote: '"' | "'" | undefined;
  /** Escapes and references not yet replaced. */
  raw: string;
}

const BOM = '\u00EF\u00BB\u00BF';
/** Names and letters in wide characters, whatever the byte order and with or without a mark at the start. */
const WIDE = /^\xFF\xFE|^\xFE\xFF|(?:[\w=]\0){4}|(?:\0[\w=]){4}|(?:\0{3}[\w=]){2}|(?:[\w=]\0{3}){2}/;

/** The file as a string with a character for each byte. */
function bytesOf(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  if (!WIDE.test(text)) return text;
  throw new BifractError('ENV_INVALID', '.env is encoded in UTF-16 or UTF-32', {
    hint: 'Convert it to UTF-8, for example with iconv -f UTF-16 -t UTF-8.',
  });
}

function toText(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

function fromText(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

const NAME = /[ \t\v\f]*(?:export[ \t]+)?([\w.-]+)[ \t]*[=:]/y;
const SPACE = /[ \t\v\f]*/y;
const LINE = /[^\r\n]*/y;
const REST_OF_LINE = /[ \t\v\f]*(?=#|[\r\n]|$)/y;

/** All variables that the text sets. Reading and writing rely on this alone, so they cannot disagree. */
function scan(text: string): Entry[] {
  const entries: Entry[] = [];
  let at = text.startsWith(BOM) ? BOM.length : 0;
  while (at < text.length) {
    const [head = '', name] = matchAt(NAME, text, at) ?? [];
    if (name !== undefined) {
      const entry = { name, ...scanValue(text, at + head.length) };
      entries.push(entry);
      at = entry.end;
    }
    at += lengthAt(LINE, text, at) + 1;
  }
  return entries;
}

function scanValue(text: string, from: number): Omit<Entry, 'name'> {
  const start = from + lengthAt(SPACE, text, from);
  const quote = text[start];
  if (quote === '"' || quote === "'") {
    const close = closingQuote(text, start + 1, quote);
    if (close !== undefined)
      return { start: start + 1, end: close, quote, raw: text.slice(start + 1, close) };
  }
  const line = text.slice(from, start + lengthAt(LINE, text, start));
  const comment = /[ \t]#/.exec(line)?.index;
  const raw = line.slice(0, comment).trim();
  // An empty value is set directly after the equals sign, so that a comment stays one.
  return raw === ''
    ? { start: from, end: from, quote: undefined, raw }
    : { start, end: start + raw.length, quote: undefined, raw };
}

/** The position of the quote that ends a value, on this or a later line; undefined if none is followed by a line end. */
function closingQuote(text: string, from: number, quote: string): number | undefined {
  for (let at = text.indexOf(quote, from); at >= 0; at = text.indexOf(quote, at + 1)) {
    let first = at;
    while (first > from && text[first - 1] === '\\') first--;
    if ((at - first) % 2 === 1) continue;
    return matchAt(REST_OF_LINE, text, at + 1) ? at : undefined;
  }
  return undefined;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function lengthAt(pattern: RegExp, text: string, at: number): number {
  return matchAt(pattern, text, at)?.[0].length ?? 0;
}

type Lookup = (name: string) => string | undefined;

const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t', v: '\v', f: '\f', a: '\x07', b: '\b' };

function readValue({ quote, raw }: Entry, lookup: Lookup): string {
  if (quote === "'") return raw.replaceAll("\\'", "'");
  return expand(raw, quote === '"', lookup);
}

const NAMED = /\$([A-Za-z_]\w*)/y;
const BRACED = /\$\{([A-Za-z_]\w*)(?:(:?[-+?])((?:[^{}]|\{[^{}]*\})*))?\}/y;

/** Replaces references, and escapes where they have a meaning, in one pass: what a variable contains is not special. */
function expand(raw: string, escapes: boolean, lookup: Lookup): string {
  let value = '';
  let at = 0;
  while (at < raw.length) {
    const next = raw[at + 1];
    if (escapes && raw[at] === '\\' && next !== undefined) {
      value += ESCAPES[next] ?? (/["'\\$]/.test(next) ? next : `\\${next}`);
      at += 2;
      continue;
    }
    if (raw[at] !== '$') {
      value += raw[at++];
      continue;
    }
    const [whole = raw[at] as string, name, operator, operand = ''] =
      matchAt(NAMED, raw, at) ?? matchAt(BRACED, raw, at) ?? [];
    if (next === '$') at += 1;
    value += name === undefined ? '$' : refer(lookup(name), operator, () => expand(operand, escapes, lookup));
    at += whole.length;
  }
  return value;
}

/** The value of a reference such as `${NAME:-operand}`. A required variable that is missing counts as empty. */
function refer(value: string | undefined, operator: string | undefined, operand: () => string): string {
  const present = operator?.startsWith(':') ? Boolean(value) : value !== undefined;
  if (operator?.endsWith('-')) return present ? (value ?? '') : operand();
  if (operator?.endsWith('+')) return present ? operand() : '';
  return value ?? '';
}

/** A reference is not replaced: the value it stands for may be used elsewhere, or may only be missing here. */
function replace(text: string, { name, start, end, quote, raw }: Entry, value: string): string {
  if (quote === "'" || !raw.includes('$')) return `${text.slice(0, start)}${value}${text.slice(end)}`;
  throw new BifractError('ENV_INVALID', `${name} in .env refers to another variable`, {
    hint: `Change the other variable, or write the value of ${name} itself into .env.`,
  });
}

/** Adds a line, ended as the last one of the file is. */
function append(text: string, name: string, value: string): string {
  requireNoOther(text, name);
  const end = Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r'));
  const newline =
    end < 0 ? '\n' : text.slice(text.slice(0, end + 1).endsWith('\r\n') ? end - 1 : end, end + 1);
  const isComplete = text === '' || text === BOM || end === text.length - 1;
  return `${text}${isComplete ? '' : newline}${name}=${value}${newline}`;
}

/** A line that looks like the variable but is part of another's value is a mistake that must not cost the old key. */
function requireNoOther(text: string, name: string): void {
  const line = new RegExp(`(?:^|[\\r\\n])[ \\t]*(?:export[ \\t]+)?${name}[ \\t]*[=:]`);
  if (!line.test(text)) return;
  throw new BifractError(
    'ENV_INVALID',
    `The line that sets ${name} in .env is inside the quoted value of another variable`,
    {
      hint: 'Close the quote above it.',
    },
  );
}

/** Throws unless the variables are set, once more or as often as before, and all others are what they were. */
function requireSame(before: Entry[], after: Entry[], variables: Record<string, string>): void {
  const others = (entries: Entry[]) =>
    entries
      .filter(({ name }) => !Object.hasOwn(variables, name))
      .map(({ name, raw, quote }) => [name, raw, quote]);
  const isSame = JSON.stringify(others(before)) === JSON.stringify(others(after));
  const isSet = Object.entries(variables).every(
    ([name, value]) => after.findLast((one) => one.name === name)?.raw === value,
  );
  if (isSame && isSet) return;
  throw new BifractError(
    'INTERNAL',
    `.env would not be the same after setting ${Object.keys(variables).join(', ')}`,
  );
}
