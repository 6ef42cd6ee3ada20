/** No valid block has larger lengths or counts. */
const MAX_LENGTH = 1 << 30;

/**
 * Why a block cannot be read: more bytes are needed (`incomplete`), they are not a block (`malformed`), the decoder does
 * not support them, so the rows must be requested as text (`unsupported`), or the block takes too much memory, so smaller
 * blocks must be requested (`too_large`).
 */
export class DecodeError extends Error {
  readonly reason: 'incomplete' | 'malformed' | 'unsupported' | 'too_large';

  constructor(reason: DecodeError['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Shared, because it is thrown often. */
const INCOMPLETE = new DecodeError('incomplete', 'More bytes are needed');

export function malformed(what: string): DecodeError {
  return new DecodeError('malformed', what);
}

export function unsupported(what: string): DecodeError {
  return new DecodeError('unsupported', what);
}

/** Reads ClickHouse's Native format sequentially. Throws `DecodeError`; validates every length. */
export class Reader {
  at = 0;
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** Skips bytes; returns where they start. */
  skip(count: number): number {
    const from = this.at;
    if (count > this.bytes.length - from) throw INCOMPLETE;
    this.at = from + count;
    return from;
  }

  varint(): number {
    const { bytes } = this;
    let value = 0;
    for (let scale = 1; scale <= MAX_LENGTH; scale *= 128) {
      if (this.at >= bytes.length) throw INCOMPLETE;
      const byte = bytes[this.at++] as number;
      value += (byte & 127) * scale;
      if (byte < 128) return checked(value);
    }
    throw malformed('length too large');
  }

  /** A count stored as UInt64. */
  count(): number {
    const at = this.skip(8);
    if (this.bytes.readUInt32LE(at + 4) !== 0) throw malformed('count too large');
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
  if (value > MAX_LENGTH) throw malformed('length too large');
  return value;
}
