import { BifractError } from '../../contract/errors.ts';
import type { LogsShape } from '../../ports/installation-shape.ts';
import type { CallOptions } from '../../ports/types.ts';
import { BatchBuffers } from './line-batches.ts';
import { EncodeThread } from './native/encode-thread.ts';
import { encoderShape } from './native/encoder-shape.ts';
import { type EncoderShape, LineEncoder, PADDING } from './native/line-encoder.ts';
import { LOAD_SETTINGS, readsQuery } from './restore-queries.ts';
import type { ClickHouseSession } from './session.ts';

/** Fields with values of all kinds. A server that reads these differently stores others differently. */
const PROBE_FIELDS = [
  '{"s":"\\u00e9/\\n","n":{"i":-1,"a.b":0},"":{"u":18446744073709551615},"f":[1,2.5,null],"t":true,"z":null}',
  '{"s":[],"n":[{"x":"y"},{}],"f":-0.5e-3,"t":["a"],"i":1.0}',
  '{"s":[true,null],"n":{"":"2026-03-01 12:00:00"},"f":9223372036854775807,"t":[1]}',
];
/** Others, written as ClickHouse does. Those of typed paths come to it. */
const PROBE_TEXT = {
  '+a': '[1,2.5,null]',
  '+o': '{"a b":true,"é":"/\\n\\u0001\\u001F\\""}',
  '+s': '"é/\\\\"',
  '~f': '1e-7',
  '~g': '1e21',
  '~i': '-9007199254740991',
};

/** Encoders of lines, if the server stores what they make exactly as it stores the text. Must be closed. */
export class Encoders {
  readonly buffers = new BatchBuffers();
  readonly #session: ClickHouseSession;
  #idle: EncodeThread[] = [];
  #closed = false;
  /** What to encode for; undefined: not asked yet, null: all lines are sent as text. */
  #shape: EncoderShape | null | undefined;

  constructor(session: ClickHouseSession) {
    this.#session = session;
  }

  /** Threads for the inserts of one load; must be released. Empty if lines must be sent as text. */
  async acquire(
    schema: LogsShape,
    count: number,
    options: CallOptions,
    onText: ((reason: string) => void) | undefined,
  ): Promise<EncodeThread[]> {
    if (this.#shape === undefined) {
      const found = await this.#probe(schema, options);
      if (typeof found === 'string') this.#giveUp(found, onText);
      else this.#shape = found;
    }
    const shape = this.#shape;
    if (!shape) return [];
    const kept = this.#idle.splice(0, count);
    while (kept.length < count) kept.push(new EncodeThread((buffer) => this.buffers.release(buffer)));
    for (const thread of kept) thread.start(shape);
    return kept;
  }

  /** Takes threads back. If one has failed, the next attempt sends text. */
  async release(threads: readonly EncodeThread[], onText?: (reason: string) => void): Promise<void> {
    for (const thread of threads) {
      if (thread.failure) this.#giveUp(thread.failure.message, onText);
      if (!this.#closed && thread.park()) this.#idle.push(thread);
      else await thread.close();
    }
  }

  /** The error to throw for a failed insert of blocks. If the server refuses them, the next attempt sends text. */
  refused(error: unknown, onText: ((reason: string) => void) | undefined): unknown {
    const refused = error instanceof BifractError && error.code === 'QUERY_FAILED' && !error.transient;
    if (!refused) return error;
    this.#giveUp(error.message, onText);
    return new BifractError('QUERY_FAILED', error.message, {
      cause: error,
      hint: error.hint,
      transient: true,
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#idle.splice(0).map((thread) => thread.close()));
  }

  #giveUp(reason: string, onText: ((reason: string) => void) | undefined): void {
    if (this.#shape === null) return;
    this.#shape = null;
    onText?.(reason);
  }

  /** What to encode for, or why not to: asks the server to read the same lines as text and encoded. */
  async #probe(schema: LogsShape, { signal }: CallOptions): Promise<EncoderShape | string> {
    const shape = encoderShape(schema);
    if (!shape) return 'the table has columns of types that are only loaded as text';
    // A server that writes the text of fields in another way can still compute it.
    const cols = shape.cols.map((column) => ({ ...column, text_of_fields: false }));
    const options = { signal, settings: LOAD_SETTINGS };
    try {
      for (const tried of [shape, { ...shape, cols }]) {
        const { block, lines } = encodedProbe(tried);
        if (!block) return 'the table keeps no fields in columns';
        const asText = await this.#session.row(readsQuery(lines, schema, 'JSONEachRow'), options);
        const encoded = await this.#session.row(readsQuery(block, schema, 'Native'), options);
        if (JSON.stringify(asText) === JSON.stringify(encoded)) return tried;
      }
      return 'this version of ClickHouse stores fields differently';
    } catch (error) {
      if (error instanceof BifractError && error.code === 'QUERY_FAILED' && !error.transient)
        return error.message;
      throw error;
    }
  }
}

/** A block with the lines of the probe that can be encoded, and their text. */
function encodedProbe(shape: EncoderShape): { block: Buffer | undefined; lines: Buffer } {
  const probe = probeLines(shape);
  const all = Buffer.from(probe.join(''));
  const memory = new ArrayBuffer(all.length + PADDING);
  new Uint8Array(memory).set(all);
  const encoder = new LineEncoder(shape);
  encoder.add(memory, all.length);
  const { blocks, texts } = encoder.take(true);
  const others = new Set(texts.map(String));
  const lines = probe.filter((line) => !others.has(line));
  return { block: blocks[0], lines: Buffer.from(lines.join('')) };
}

function probeLines({ fields: { typed } }: EncoderShape): string[] {
  const texts = Object.fromEntries(typed.map((path) => [path, '"x/"']));
  const members = Object.entries({ ...PROBE_TEXT, ...texts }).sort(([a], [b]) => (a < b ? -1 : 1));
  const canonical = `{${members.map(([key, text]) => `"${key}":${text}`).join(',')}}`;
  return [...PROBE_FIELDS, canonical].map(
    (fields, row) =>
      `{"ts":"2026-03-01T12:00:00.1Z","raw":"r\\u0001\\"","id":"${row}","fid":"f","its":"2026-03-01T12:00:01Z","fields":${fields}}\n`,
  );
}
