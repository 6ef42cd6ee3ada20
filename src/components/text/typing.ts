import { graphemes, sanitize } from '../../core/text/sanitize.ts';

/** The text of a one-line input after a key; undefined if the key does not edit text. */
export function editText(text: string, key: string): string | undefined {
  if (key === 'backspace') return graphemes(text).slice(0, -1).join('');
  if (key === 'ctrl-u') return '';
  if (key === 'ctrl-w') return text.replace(/\S*\s*$/, '');
  // Longer strings are names of keys, such as `enter`.
  return Array.from(key).length > 1 || sanitize(key) === '' ? undefined : text + key;
}

/** The longest name used as a typed confirmation. */
const MAX_LENGTH = 40;

/** Whether a name is suitable for typed confirmation: short, and printable ASCII only. */
export function isTypeable(name: string): boolean {
  return name.length <= MAX_LENGTH && /^[\x21-\x7e]+$/.test(name);
}
