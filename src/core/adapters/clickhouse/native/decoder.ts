import type { LineBlock, RowKey } from '../../../ports/log-database.ts';
import { GrowableBuffer, LineBufferPool } from '../buffers.ts';
import { ResponseTail } from '../errors.ts';
import { LineAssembler, type ResponseScope } from './line-assembler.ts';
import { DecodeError } from './reader.ts';

/** Decoded lines, and whether decoding has ended. */
export interface Decoded {
  blocks: LineBlock[];
  /**
   * Set once decoding has ended: the response is complete; decoding stopped, and the rest must be requested again; or the
   * response is not data, and these are its last bytes.
   */
  end?: 'complete' | { stop: Omit<Stop, 'lines'> } | { not_data: Buffer };
}

/** Where decoding stopped before the end of the response. */
export interface Stop {
  /** First key that was not decoded; undefined: nothing was decoded. */
  cursor: RowKey | undefined;
  /** True: retry with smaller blocks. False: the rows must be requested as text. */
  large: boolean;
  /** Number of lines before that. */
  lines: number;
}

/** A `LineAssembler` that returns its errors as results. */
export class Decoder {
  readonly #lines: LineAssembler;
  #tail: ResponseTail | undefined;

  /** Lines are written into `buffers`; their reader may release them. `input` may be that of an earlier response. */
  constructor(of: ResponseScope, buffers = new LineBufferPool(), input = new GrowableBuffer()) {
    this.#lines = new LineAssembler(of, buffers, input);
  }

  add(bytes: Buffer): Decoded {
    if (this.#tail) return this.#tail.add(Buffer.from(bytes)) ? this.#notData(this.#tail) : { blocks: [] };
    return this.#decode(false, () => this.#lines.add(bytes));
  }

  /** The response has ended or was cut off. */
  finish(): Decoded {
    if (this.#tail) return this.#notData(this.#tail);
    return this.#decode(true, () => this.#lines.finish());
  }

  #decode(last: boolean, read: () => void): Decoded {
    try {
      read();
      return { blocks: this.#lines.take(), ...(last && { end: 'complete' }) };
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      if (error.reason === 'unsupported' || error.reason === 'too_large')
        return this.#stop(error.reason === 'too_large');
      // More of the error message may follow.
      this.#tail = new ResponseTail([Buffer.from(this.#lines.unread())]);
      return last ? this.#notData(this.#tail) : { blocks: this.#lines.take() };
    }
  }

  #stop(large: boolean): Decoded {
    this.#lines.flush();
    return { blocks: this.#lines.take(), end: { stop: { cursor: this.#lines.cursor(), large } } };
  }

  #notData(tail: ResponseTail): Decoded {
    return { blocks: [], end: { not_data: tail.last() } };
  }
}
