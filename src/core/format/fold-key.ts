const FOLDED = /^[a-z0-9_]*$/;

/** Folds a key as the server does: to lower case, and the two non-ASCII letters that fold to ASCII. */
export function foldKey(key: string): string {
  if (FOLDED.test(key)) return key;
  return key
    .replaceAll('\u017f', 's')
    .replaceAll('\u212a', 'k')
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
