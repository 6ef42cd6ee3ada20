const MASK = '***';
/** A shorter secret is not looked for: it would be found in harmless words. */
const MIN_LENGTH = 6;
/** From this length on a secret is masked even within a word. */
const MIN_LENGTH_IN_WORD = 10;
/** Passwords that are also words of our messages, names and paths. */
const WORDS = /^(bifract|backups?|archives?|postgres(ql)?|clickhouse|default|completed|restore|localhost)$/i;

/**
 * Names of members, parameters and variables that hold a secret. Looked for once in each run of these characters: from
 * every position, a long run would take minutes.
 */
const NAME =
  '(?<![\\w.-])(?=[\\w.-]*?(?:password|passwd|passphrase|pwd|secret|token|credential|signature|(?:access|api|auth|private|encryption)[_-]?key))[\\w.-]+';
const VALUE = `(?:"(?:[^"\\\\]|\\\\.)*"|'[^']*'|[^\\s,;&"'(){}\\[\\]]+)`;

/** Patterns for secrets in URLs, headers, connection strings and variables, of any program. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/(:\/\/[^\s/:@"'<>]*):[^\s"'<>]{0,4096}@/g, `$1:${MASK}@`],
  [/\b((?:proxy-)?authorization["']?\s*[:=]\s*["']?)[^\r\n"']+/gi, `$1${MASK}`],
  [/\b(bearer|basic)\s+(?=[a-z_-]*[\d=/+.])[\w.~+/=-]{6,}/gi, `$1 ${MASK}`],
  [/\b(AWSAccessKeyId=)[^\s&"']+/g, `$1${MASK}`],
  // With a space after the colon it is more likely prose: `POSTGRES_PASSWORD: the server rejects it`.
  [new RegExp(`(${NAME}["']?(?:\\s*=\\s*|:(?=\\S)|:\\s+(?=["'])))${VALUE}`, 'gi'), `$1${MASK}`],
  [/\b(password|identified by)(\s+)'(?:[^']|'')*'/gi, `$1$2'${MASK}'`],
];
/** None of the patterns matches a text without one of these. */
const SUSPECT = /[:=]|bearer|basic|password|identified/i;

const secrets = new Set<string>();
let known: RegExp | undefined;

/** Makes `mask` replace these values from now on, as they are and as they stand in URLs and JSON. */
export function addSecrets(values: Iterable<string | undefined>): void {
  const before = secrets.size;
  for (const value of values) {
    if (value === undefined || value.length < MIN_LENGTH || WORDS.test(value)) continue;
    for (const form of [value, encodeURIComponent(value.toWellFormed()), JSON.stringify(value).slice(1, -1)])
      secrets.add(form);
  }
  if (secrets.size === before) return;
  const longestFirst = [...secrets].sort((a, b) => b.length - a.length);
  known = new RegExp(longestFirst.map(patternOf).join('|'), 'g');
}

function patternOf(secret: string): string {
  const text = RegExp.escape?.(secret) ?? secret.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  return secret.length >= MIN_LENGTH_IN_WORD ? text : `(?<![A-Za-z0-9])${text}(?![A-Za-z0-9])`;
}

/** The text without the known secrets, and without what stands where secrets do. Idempotent. */
export function mask(text: string): string {
  let masked = known ? text.replace(known, MASK) : text;
  if (!SUSPECT.test(masked)) return masked;
  for (const [pattern, replacement] of PATTERNS) masked = masked.replace(pattern, replacement);
  return masked;
}

/** Plain data with every text in it masked, and every member whose name says that it is a secret. */
export function maskAll<T>(value: T): T {
  return maskValue(value) as T;
}

const SECRET_MEMBER = new RegExp(`^${NAME}$`, 'i');

function maskValue(value: unknown): unknown {
  if (typeof value === 'string') return mask(value);
  if (Array.isArray(value)) return value.map(maskValue);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      mask(name),
      typeof member === 'string' && SECRET_MEMBER.test(name) ? MASK : maskValue(member),
    ]),
  );
}
