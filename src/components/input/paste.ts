/** Most bytes of a paste that are kept. */
export const MAX_PASTE = 2 ** 20;

const END = Buffer.from('\x1b[201~');

/** Collects a paste up to its end marker. */
export interface Paste {
  /** Adds bytes. If the end marker is among them, the number of bytes after it; else undefined. */
  add(bytes: Uint8Array): number | undefined;
  /** The text so far. */
  end(): { text: string; truncated: boolean };
}

export function createPaste(): Paste {
  const parts: Uint8Array[] = [];
  let size = 0;
  let truncated = false;
  /** The last bytes, which may be the start of the end marker. */
  let tail: Uint8Array = new Uint8Array();

  function keep(bytes: Uint8Array): void {
    const kept = bytes.subarray(0, MAX_PASTE - size);
    truncated ||= kept.length < bytes.length;
    if (kept.length === 0) return;
    // A copy, because the bytes belong to the buffer of the read.
    parts.push(Uint8Array.from(kept));
    size += kept.length;
  }

  return {
    add(bytes) {
      const all = Buffer.concat([tail, bytes]);
      const end = all.indexOf(END);
      const kept = end >= 0 ? end : Math.max(0, all.length - END.length + 1);
      keep(all.subarray(0, kept));
      tail = end >= 0 ? new Uint8Array() : all.subarray(kept);
      return end >= 0 ? all.length - end - END.length : undefined;
    },
    end() {
      keep(tail);
      return { text: new TextDecoder().decode(Buffer.concat(parts)).replaceAll('\ufffd', ''), truncated };
    },
  };
}
