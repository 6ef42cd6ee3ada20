/** Letters of a word are at most this many times as far apart as in the word. */
const STRETCH = 3;

/** Whether a text contains the letters of a word in this order and close together. Digits must match as they are. */
export function resembles(text: string, word: string): boolean {
  const [first] = word;
  if (first === undefined || /\d/.test(word)) return text.includes(word);
  for (let start = text.indexOf(first); start >= 0; start = text.indexOf(first, start + 1)) {
    const end = Math.min(text.length, start + word.length * STRETCH);
    let matched = 1;
    for (let at = start + 1; at < end && matched < word.length; at++) {
      if (text[at] === word[matched]) matched += 1;
    }
    if (matched === word.length) return true;
  }
  return false;
}
