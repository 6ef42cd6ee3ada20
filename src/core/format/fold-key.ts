/** A key as the server compares it: any case, and the two letters beyond ASCII that fold to ASCII ones. */
export function foldKey(key: string): string {
  return key
    .replaceAll('\u017f', 's')
    .replaceAll('\u212a', 'k')
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
