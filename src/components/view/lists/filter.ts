import { withinTime } from '../../text/within-time.ts';

/** A word of a filter. Capitals make it case-sensitive. */
interface Word {
  text: string;
  any_case: boolean;
  /** Rows that contain it are left out. */
  inverse: boolean;
  /** Its letters must stand together. */
  exact: boolean;
}

/** A filter as typed, parsed. */
export type Filter = { words: readonly Word[] } | { regex: RegExp; inverse: boolean };

/** The visible cells of a row, one per line, and the same in lowercase. */
export interface RowText {
  text: string;
  lower: string;
}

export const FILTER_HINT = "words, !not, 'exact, /regex/i";

/** A regular expression must not block the console. */
const LIMIT_MS = 500;
const REGEX = /^(!?)\/(.+?)(?:\/([imsuv]*))?$/s;

/**
 * Parses a filter: words that a row must contain, `!word` that it must not, or a `/regular expression/`, whose last slash
 * can be left out. `problem` says why it is invalid.
 */
export function parseFilter(typed: string): Filter | { problem: string } {
  const [, not, source, flags] = REGEX.exec(typed) ?? [];
  if (source === undefined)
    return {
      words: typed
        .split(' ')
        .map(wordOf)
        .filter(({ text }) => text !== ''),
    };
  try {
    return { regex: new RegExp(source, flags), inverse: not === '!' };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

function wordOf(typed: string): Word {
  const [, inverse = '', quote = '', text = ''] = /^(!?)('?)(.*)$/s.exec(typed) ?? [];
  return {
    text,
    any_case: text === text.toLowerCase(),
    inverse: inverse !== '',
    // A date, size or number that is only similar is another one.
    exact: quote !== '' || inverse !== '' || text.length < 2 || /\d/.test(text),
  };
}

/** Whether every row that the second filter finds is also found by the first one, so that only those need a look. */
export function isNarrower(wider: string, narrower: string): boolean {
  if (wider === '' || !narrower.startsWith(wider)) return false;
  const filters = [parseFilter(wider), parseFilter(narrower)];
  return filters.every((filter) => 'words' in filter) && !wider.includes('!');
}

/** The rows that a filter finds. */
export interface Found<T> {
  records: readonly T[];
  /** No row contains the words: those are shown that contain their letters in this order, close together. */
  similar: boolean;
  problem?: string;
}

/** Filters records by their visible text. */
export function applyFilter<T>(
  typed: string,
  records: readonly T[],
  textOf: (record: T) => RowText,
): Found<T> {
  const filter = parseFilter(typed);
  if ('problem' in filter) return { records, similar: false, problem: filter.problem };
  if ('regex' in filter) {
    const texts = records.map(textOf);
    const kept = withinTime(LIMIT_MS, () =>
      records.filter((_, index) => matchesRegex(filter.regex, texts[index]) !== filter.inverse),
    );
    return { records: kept ?? records, similar: false, ...(kept ? {} : { problem: 'it takes too long' }) };
  }
  const { words } = filter;
  if (words.length === 0) return { records, similar: false };
  const exact = records.filter((record) => words.every((word) => contains(textOf(record), word)));
  if (exact.length > 0 || words.every((word) => word.exact)) return { records: exact, similar: false };
  const similar = records.filter((record) => {
    const text = textOf(record);
    return words.every((word) => contains(text, word) || (!word.exact && resembles(text, word)));
  });
  return { records: similar, similar: similar.length > 0 };
}

function matchesRegex(regex: RegExp, row: RowText | undefined): boolean {
  return row?.text.split('\n').some((cell) => regex.test(cell)) ?? false;
}

function contains({ text, lower }: RowText, word: Word): boolean {
  return (word.any_case ? lower : text).includes(word.text) !== word.inverse;
}

/** Letters of a word are at most this many times as far apart as in the word. */
const STRETCH = 3;

/** Whether a cell contains the letters of a word in this order, close together. */
function resembles({ text, lower }: RowText, { text: word, any_case }: Word): boolean {
  const row = any_case ? lower : text;
  const [first = ''] = word;
  for (let start = row.indexOf(first); start >= 0; start = row.indexOf(first, start + 1)) {
    let at = 1;
    const end = Math.min(row.length, start + word.length * STRETCH);
    for (let next = start + 1; next < end && at < word.length && row[next] !== '\n'; next++) {
      if (row[next] === word[at]) at++;
    }
    if (at === word.length) return true;
  }
  return false;
}
