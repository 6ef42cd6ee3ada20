/** The smallest code of characters by their number of bytes after the first; a smaller one is invalid. */
const SMALLEST = [0, 0x80, 0x800, 0x10000] as const;

/** Assembles UTF-8 characters from single bytes. */
export interface Utf8 {
  /**
   * The code of the character that the byte completes; `more` if others have to follow; undefined if it is invalid.
   * Single bytes from 0x80 to 0x9f are control characters, as in 8-bit terminals. An unfinished character is dropped.
   */
  add(byte: number): number | 'more' | undefined;
}

export function createUtf8(): Utf8 {
  let code = 0;
  let size = 0;
  let missing = 0;

  function isValid(): boolean {
    return code >= (SMALLEST[size] ?? 0) && code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000);
  }

  return {
    add(byte) {
      if (missing > 0 && byte >= 0x80 && byte < 0xc0) {
        code = (code << 6) | (byte & 0x3f);
        missing -= 1;
        if (missing > 0) return 'more';
        return isValid() ? code : undefined;
      }
      missing = 0;
      if (byte < 0xa0) return byte;
      if (byte < 0xc2 || byte > 0xf4) return undefined;
      size = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
      missing = size;
      code = byte & (0x3f >> size);
      return 'more';
    },
  };
}
