import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import * as zlib from 'node:zlib';
import { describeException, exceptionFrame } from './exception.ts';
import type { Call } from './request.ts';

const LAST_WORDS_MS = 20;

/** What a statement read and wrote, as far as it is known when the answer begins. */
export interface Summary {
  read_rows?: number;
  read_bytes?: number;
  written_rows?: number;
  written_bytes?: number;
  result_rows?: number;
}

/** The answer to one call: its headers, its compression, its body with the reader's pace, and its last words. */
export class Answer {
  readonly #response: ServerResponse;
  readonly #call: Call;
  readonly #signal: AbortSignal;
  readonly #began = process.hrtime.bigint();
  readonly #tag = randomBytes(8).toString('hex');
  #out: Writable;

  constructor(response: ServerResponse, call: Call, signal: AbortSignal) {
    this.#response = response;
    this.#call = call;
    this.#signal = signal;
    this.#out = response;
  }

  /** Sets the headers of a good answer; the body follows. */
  begin(format: string, summary: Summary = {}): void {
    const response = this.#response;
    response.setHeader('X-ClickHouse-Format', format);
    response.setHeader('X-ClickHouse-Summary', this.#summary(summary));
    response.setHeader('X-ClickHouse-Exception-Tag', this.#tag);
    response.setHeader('Content-Type', contentType(format));
    const encoding = this.#encoding();
    if (!encoding) return;
    response.setHeader('Content-Encoding', encoding);
    const encoder = ENCODERS[encoding]?.();
    if (!encoder) return;
    encoder.pipe(response);
    this.#out = encoder;
  }

  /** Writes, and waits while the reader is behind. Throws when it has gone. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#signal.throwIfAborted();
    if (!this.#out.write(bytes)) await once(this.#out, 'drain', { signal: this.#signal });
  }

  /** Ends the body; resolves when all is sent, or the reader has gone. */
  async end(bytes: Uint8Array = new Uint8Array()): Promise<void> {
    this.#out.end(bytes);
    if (this.#response.writableFinished || this.#response.destroyed) return;
    await Promise.race([once(this.#response, 'finish'), once(this.#response, 'close')]).catch(() => {});
  }

  /** Tells an error: with its status before the first byte, else in a frame and by cutting the connection. */
  fail(error: unknown, version: string): void {
    const response = this.#response;
    const { code, status, text } = describeException(error, version);
    if (response.destroyed) return;
    if (response.headersSent) {
      // Cut at once, the frame itself could be lost.
      const cut = () => setTimeout(() => response.destroy(), LAST_WORDS_MS);
      this.#out.write(exceptionFrame(this.#tag, text), cut);
      return;
    }
    for (const name of ['X-ClickHouse-Exception-Tag', 'Content-Encoding']) response.removeHeader(name);
    response.statusCode = status;
    response.setHeader('X-ClickHouse-Exception-Code', code);
    response.setHeader('Content-Type', 'text/plain; charset=UTF-8');
    response.end(text);
  }

  #encoding(): string | undefined {
    if (this.#call.params.get('enable_http_compression') !== '1') return undefined;
    const accepted = String(this.#call.headers['accept-encoding'] ?? '');
    return Object.keys(ENCODERS).find((name) => new RegExp(`\\b${name}\\b`).test(accepted));
  }

  #summary(known: Summary): string {
    const zero = { read_rows: 0, read_bytes: 0, written_rows: 0, written_bytes: 0, result_rows: 0 };
    const all = { ...zero, total_rows_to_read: 0, result_bytes: 0, ...known };
    const elapsed_ns = process.hrtime.bigint() - this.#began;
    return JSON.stringify({ ...all, elapsed_ns }, (_, value) =>
      typeof value === 'object' ? value : String(value),
    );
  }
}

const ENCODERS: Record<string, () => zlib.Gzip> = {
  zstd: zlib.createZstdCompress,
  br: zlib.createBrotliCompress,
  gzip: zlib.createGzip,
  deflate: zlib.createDeflate,
};

function contentType(format: string): string {
  if (/^JSON(?!.*EachRow|Lines)/i.test(format)) return 'application/json; charset=UTF-8';
  if (/EachRow|NDJSON|JSONLines/i.test(format)) return 'application/x-ndjson; charset=UTF-8';
  if (/^(TSV|Tab)/i.test(format)) return 'text/tab-separated-values; charset=UTF-8';
  return 'application/octet-stream';
}
