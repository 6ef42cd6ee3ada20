import { Readable } from 'node:stream';
import { type BatchBuffers, type LineBatch, lineBatches } from './line-batches.ts';
import type { EncodedLines, EncodeThread } from './native/encode-thread.ts';

/** Batches that a thread may have at a time, so that it need not wait for the next one. */
const AHEAD = 3;
/** A batch with a line that the encoder would not take. */
const LONG_BYTES = 1 << 20;
/** About a block of rows of text. */
const TEXT_BYTES = 16 << 20;

/** Ends an insert until there is more: the server does not wait for a body that stalls. */
const PAUSE = Symbol('pause');

/** Formats of a load. */
export type LoadFormat = 'JSONEachRow' | 'Native';

/** How to load lines. */
export interface LoadStreams {
  /** Runs one insert to its end; its body is closed if it fails. */
  insert(format: LoadFormat, body: AsyncIterable<Buffer>, signal: AbortSignal): Promise<void>;
  /** Number of inserts of text at a time, if there are no threads. */
  parallel: number;
  /** One insert in Native format for each thread. Empty: all lines are sent as text. */
  threads: readonly EncodeThread[];
  buffers: BatchBuffers;
  signal?: AbortSignal | undefined;
}

/**
 * Loads lines through several inserts at the same time. Lines that the encoder does not take are sent through one more.
 * Throws the first error, after all inserts have ended.
 */
export async function loadLines(lines: AsyncIterable<Buffer>, streams: LoadStreams): Promise<void> {
  const stop = new AbortController();
  const signal = streams.signal ? AbortSignal.any([streams.signal, stop.signal]) : stop.signal;
  const source = new Source(lines);
  const batches = lineBatches(source, streams.buffers);
  let inserted = false;
  const insert = (format: LoadFormat, body: AsyncIterable<Buffer>) => {
    inserted = true;
    return streams.insert(format, body, signal);
  };
  const texts = new TextLines((body) => insert('JSONEachRow', body));
  const failures: unknown[] = [];
  const fail = (error: unknown) => {
    failures.push(error);
    stop.abort(error);
  };
  const native = streams.threads.map((thread) =>
    insertAll('Native', encoded(batches, thread, texts), insert),
  );
  const plain = Array.from({ length: native.length > 0 ? 0 : streams.parallel }, () =>
    insertAll('JSONEachRow', bytesOf(batches), insert),
  );
  await Promise.all([...native, ...plain].map((run) => run.catch(fail)));
  if (failures.length === 0) await texts.flush().catch(fail);
  // The table must exist, also if there is nothing to insert.
  if (failures.length === 0 && !inserted)
    await insert('JSONEachRow', Readable.from([Buffer.from('\n')])).catch(fail);
  void source.close();
  // A failing source breaks the connections: report the cause, not a broken connection.
  source.throwIfFailed();
  if (failures.length > 0) throw failures[0];
}

/** Starts an insert once there is something to insert, and another one after each pause. */
async function insertAll(
  format: LoadFormat,
  body: AsyncGenerator<Buffer | typeof PAUSE>,
  insert: (format: LoadFormat, body: AsyncIterable<Buffer>) => Promise<void>,
): Promise<void> {
  for (;;) {
    const { done, value } = await body.next();
    if (done) return;
    if (value !== PAUSE) await insert(format, untilPause(value, body));
  }
}

async function* untilPause(
  first: Buffer,
  rest: AsyncGenerator<Buffer | typeof PAUSE>,
): AsyncGenerator<Buffer> {
  yield first;
  for (;;) {
    const { done, value } = await rest.next();
    if (done || value === PAUSE) return;
    yield value;
  }
}

/** All streams read the same batches, each those that it gets. */
async function* bytesOf(batches: AsyncGenerator<LineBatch>): AsyncGenerator<Buffer> {
  for (;;) {
    const { done, value } = await batches.next();
    if (done) return;
    yield Buffer.from(value.buffer, 0, value.length);
  }
}

async function* encoded(
  batches: AsyncGenerator<LineBatch>,
  thread: EncodeThread,
  texts: TextLines,
): AsyncGenerator<Buffer | typeof PAUSE> {
  const results: Promise<EncodedLines>[] = [];
  /** Bytes of text since the last block. */
  let silent = 0;
  for (let ended = false; !ended; ) {
    const { done, value } = await batches.next();
    ended = done === true;
    const long = value !== undefined && value.length > LONG_BYTES;
    if (long) results.push(asText(value));
    else results.push(value ? thread.add(value.buffer, value.length) : thread.finish());
    // Nothing is kept in memory next to a long line.
    while (results.length >= (ended || long ? 1 : AHEAD)) {
      const { blocks, text } = await (results.shift() as Promise<EncodedLines>);
      yield* blocks;
      silent = blocks.length > 0 ? 0 : silent + text.length;
      if (silent >= TEXT_BYTES) {
        yield PAUSE;
        silent = 0;
      }
      if (text.length > 0) await texts.add(text);
    }
  }
}

async function asText({ buffer, length }: LineBatch): Promise<EncodedLines> {
  return { blocks: [], text: Buffer.from(buffer, 0, length) };
}

/**
 * Lines to send as text. They are inserted once there are enough of them, because there may be few.
 */
class TextLines {
  readonly #insert: (body: AsyncIterable<Buffer>) => Promise<void>;
  #parts: Buffer[] = [];
  #bytes = 0;
  #running: Promise<void> = Promise.resolve();

  constructor(insert: (body: AsyncIterable<Buffer>) => Promise<void>) {
    this.#insert = insert;
  }

  async add(text: Buffer): Promise<void> {
    this.#parts.push(text);
    this.#bytes += text.length;
    if (this.#bytes >= TEXT_BYTES) await this.flush();
  }

  /** Inserts what there is, after what is being inserted. */
  flush(): Promise<void> {
    const parts = this.#parts;
    this.#parts = [];
    this.#bytes = 0;
    if (parts.length > 0)
      this.#running = this.#running.then(async () => {
        await this.#insert(Readable.from(parts));
        // The garbage collector would free this memory late. No other buffer shares it.
        for (const { buffer } of parts) (buffer as ArrayBuffer).transfer(0);
      });
    // A failed insert is reported by the next flush.
    this.#running.catch(() => undefined);
    return this.#running;
  }
}

/**
 * Wraps the lines to load and remembers their error. Has no `throw` method: an aborted stream would throw the connection's
 * error into the source, where it would look like an error of the source.
 */
class Source implements AsyncIterable<Buffer> {
  readonly #iterator: AsyncIterator<Buffer>;
  #failure: { error: unknown } | undefined;

  constructor(lines: AsyncIterable<Buffer>) {
    this.#iterator = lines[Symbol.asyncIterator]();
  }

  /** Throws the error of the source, if it failed. */
  throwIfFailed(): void {
    if (this.#failure) throw this.#failure.error;
  }

  /** Not waited for: a source that stalls would stall the error too. */
  async close(): Promise<void> {
    await this.#iterator.return?.(undefined)?.catch(() => undefined);
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer> {
    return { next: () => this.#next(), return: () => this.#return() };
  }

  async #next(): Promise<IteratorResult<Buffer>> {
    try {
      return await this.#iterator.next();
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  async #return(): Promise<IteratorResult<Buffer>> {
    await this.#iterator.return?.();
    return { done: true, value: undefined };
  }
}
