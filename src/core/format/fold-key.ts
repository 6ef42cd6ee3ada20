const FOLDED = /^[a-z0-9_]*$/;

/** A key as the server compares it: any case, and the two letters beyond ASCII that fold to ASCII ones. */
export function foldKey(key: string): string {
  if (FOLDED.test(key)) return key;
  return key
    .replaceAll('\u017f', 's')
    .replaceAll('\u212a', 'k')
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
