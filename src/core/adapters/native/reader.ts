/** Lengths and counts beyond this are no block's. */
const MAX_LENGTH = 1 << 30;

/**
 * Why a block is not read: its bytes are not all there yet (`more`), they are no block at all (`malformed`), they are
 * one that this decoder does not know every detail of (`unknown`), so that ClickHouse's own text must be asked for, or
 * one that takes too much memory (`large`), so that smaller ones must be.
 */
export class NotRead extends Error {
  readonly why: 'more' | 'malformed' | 'unknown' | 'large';

  constructor(why: NotRead['why'], message: string) {
    super(message);
    this.why = why;
  }
}

/** One for all: it is thrown often, and says nothing. */
const MORE = new NotRead('more', 'More bytes are needed');

export function malformed(what: string): NotRead {
  return new NotRead('malformed', what);
}

export function unknown(what: string): NotRead {
  return new NotRead('unknown', what);
}

/** Bytes of ClickHouse's Native format, read from front to back. Throws `NotRead`; trusts no length. */
export class Reader {
  at = 0;
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** Passes over so many bytes; returns where they begin. */
  skip(count: number): number {
    const from = this.at;
    if (count > this.bytes.length - from) throw MORE;
    this.at = from + count;
    return from;
  }

  varint(): number {
    const { bytes } = this;
    let value = 0;
    for (let scale = 1; scale <= MAX_LENGTH; scale *= 128) {
      if (this.at >= bytes.length) throw MORE;
      const byte = bytes[this.at++] as number;
      value += (byte & 127) * scale;
      if (byte < 128) return checked(value);
    }
    throw malformed('a length that is too large');
  }

  /** A number of eight bytes that counts something. */
  count(): number {
    const at = this.skip(8);
    if (this.bytes.readUInt32LE(at + 4) !== 0) throw malformed('a count that is too large');
    return checked(this.bytes.readUInt32LE(at));
  }

  string(): Buffer {
    const length = this.varint();
    const from = this.skip(length);
    return this.bytes.subarray(from, from + length);
  }

  skipStrings(count: number): void {
    for (let left = count; left > 0; left--) this.skip(this.varint());
  }
}

function checked(value: number): number {
  if (value > MAX_LENGTH) throw malformed('a length that is too large');
  return value;
}
