import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import * as zlib from 'node:zlib';
import { describeException, exceptionFrame } from './exception.ts';
import type { Call } from './request.ts';

const FLUSH_MS = 20;

/** What a statement read and wrote, as far as known when the response starts. */
export interface Summary {
  read_rows?: number;
  read_bytes?: number;
  written_rows?: number;
  written_bytes?: number;
  result_rows?: number;
}

/** The response to a statement: headers, compression, a body with backpressure, and errors. */
export class StatementResponse {
  readonly #response: ServerResponse;
  readonly #call: Call;
  readonly #signal: AbortSignal;
  readonly #started = process.hrtime.bigint();
  readonly #tag = randomBytes(8).toString('hex');
  #out: Writable;

  constructor(response: ServerResponse, call: Call, signal: AbortSignal) {
    this.#response = response;
    this.#call = call;
    this.#signal = signal;
    this.#out = response;
  }

  /** Sets the headers of a successful response; the body follows. */
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

  /** Writes, with backpressure. Throws if the client has disconnected. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#signal.throwIfAborted();
    if (!this.#out.write(bytes)) await once(this.#out, 'drain', { signal: this.#signal });
  }

  /** Ends the body; resolves when all is sent or the client has disconnected. */
  async end(bytes: Uint8Array = new Uint8Array()): Promise<void> {
    this.#out.end(bytes);
    if (this.#response.writableFinished || this.#response.destroyed) return;
    await Promise.race([once(this.#response, 'finish'), once(this.#response, 'close')]).catch(() => {});
  }

  /** Sends an error: as a status before the first byte, else as a frame before closing the connection. */
  fail(error: unknown, version: string): void {
    const response = this.#response;
    const { code, status, text } = describeException(error, version);
    if (response.destroyed) return;
    if (response.headersSent) {
      // Closed at once, the connection could lose the frame.
      const close = () => setTimeout(() => response.destroy(), FLUSH_MS);
      this.#out.write(exceptionFrame(this.#tag, text), close);
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
    const elapsed_ns = process.hrtime.bigint() - this.#started;
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
