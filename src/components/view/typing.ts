import { graphemes, sanitize } from './sanitize.ts';

/** The text after a key of a one-line input; undefined where the key is none of its business. */
export function typed(text: string, key: string): string | undefined {
  if (key === 'backspace') return graphemes(text).slice(0, -1).join('');
  if (key === 'ctrl-u') return '';
  if (key === 'ctrl-w') return text.replace(/\S*\s*$/, '');
  // A key with a name is no character.
  return Array.from(key).length > 1 || sanitize(key) === '' ? undefined : text + key;
}

/** The longest name that anybody is asked to type. */
const LONGEST_WORD = 40;

/** Whether a name can be asked for: not every keyboard has every letter. */
export function canBeTyped(name: string): boolean {
  return name.length <= LONGEST_WORD && /^[\x21-\x7e]+$/.test(name);
}
