import type { LineBlock, LineOptions, LogWindow, RowKey } from '../../ports/log-database.ts';
import { isSettingRefused } from './errors.ts';
import { DecodeThreads } from './native/decode-thread.ts';
import type { Stop } from './native/decoder.ts';
import { nativeLines } from './native/native-lines.ts';
import { splitLines } from './ndjson-splitter.ts';
import {
  type KeyRange,
  keyQuery,
  LOW_MEMORY,
  lineShape,
  linesQuery,
  NATIVE_SETTINGS,
  nativeQuery,
} from './queries.ts';
import type { ClickHouseSession, StatementOptions } from './session.ts';

const KEY_LIMIT_MS = 600_000;
/** Block size in rows: divided by `BLOCK_STEP` each time a block is too large. */
const MAX_BLOCK_ROWS = 8192;
const MIN_BLOCK_ROWS = 128;
const BLOCK_STEP = 8;
/** Rows to request as text after a stop: multiplied by `ROW_STEP` if decoding soon stops again. */
const FIRST_ROWS = 16_384;
const MAX_ROWS = 1 << 22;
const ROW_STEP = 4;
/** Two stops are far apart if more than this many times the last text range was decoded between them. */
const FAR_APART = 8;

/**
 * Reads archive lines. Rows are requested in Native format and formatted here, because formatting JSON columns is what
 * takes ClickHouse most of its time. Rows that cannot be decoded are requested as JSONEachRow text; reading then returns to
 * Native. Must be closed.
 */
export class LineReader {
  readonly #session: ClickHouseSession;
  readonly #table: string;
  readonly #threads = new DecodeThreads();
  /** False once the server has rejected the settings that `nativeQuery` needs. */
  #native = true;

  constructor(session: ClickHouseSession) {
    this.#session = session;
    this.#table = session.dialect.logs;
  }

  async *lines(window: LogWindow, options: LineOptions): AsyncGenerator<LineBlock> {
    const fallback = new FallbackSize();
    let start = options.start;
    while (this.#native) {
      const stop = yield* this.#decode(window, { start }, fallback.block_rows, options);
      if (!stop) return;
      start = stop.cursor ?? start;
      if (!this.#native) break;
      if (stop.large && fallback.shrinkBlocks()) continue;
      const end = await this.#keyAfter(window, start, fallback.nextRows(stop.lines), options);
      yield* this.#text(window, { start, end }, options);
      if (!end) return;
      start = end;
    }
    yield* this.#text(window, { start }, options);
  }

  close(): Promise<void> {
    return this.#threads.close();
  }

  #text(window: LogWindow, keys: KeyRange, options: LineOptions): AsyncGenerator<LineBlock, unknown> {
    const query = linesQuery(this.#table, window, options.fields, keys);
    return this.#session.stream(query, statementOptions(options), (chunks) =>
      splitLines(chunks, lineShape(options.fields)),
    );
  }

  async *#decode(
    window: LogWindow,
    keys: KeyRange,
    block_rows: number,
    options: LineOptions,
  ): AsyncGenerator<LineBlock, Stop | undefined> {
    const query = nativeQuery(this.#table, window, options.fields, keys);
    const settings = { ...(options.fields && NATIVE_SETTINGS), max_block_size: String(block_rows) };
    this.#threads.prepare();
    try {
      return yield* this.#session.stream(query, statementOptions(options, settings), (chunks) =>
        nativeLines(chunks, { fractal_id: window.fractal_id, fields: options.fields }, this.#threads),
      );
    } catch (error) {
      if (!isSettingRefused(error)) throw error;
      this.#native = false;
      return { cursor: undefined, large: false, lines: 0 };
    }
  }

  /** Key of the row `rows` rows after `start`; undefined if there are fewer. */
  async #keyAfter(
    window: LogWindow,
    start: RowKey | undefined,
    rows: number,
    { signal }: LineOptions,
  ): Promise<RowKey | undefined> {
    for (let offset = rows; ; offset *= 2) {
      const query = keyQuery(this.#table, window, { start }, offset);
      const [key] = await this.#session.rows<{ ms: number; id: string }>(query, {
        signal,
        limit_ms: KEY_LIMIT_MS,
      });
      if (!key) return undefined;
      const { ms, id } = key;
      // Rows with the same key must not be split.
      if (String(ms) !== start?.ms || id !== start.id) return { ms: String(ms), id };
    }
  }
}

function statementOptions(
  { signal, max_memory, low_memory }: LineOptions,
  settings: object = {},
): StatementOptions {
  return { signal, max_memory, settings: { ...settings, ...(low_memory && LOW_MEMORY) } };
}

/**
 * How many rows to request when decoding stops. A stop costs two queries: if decoding stops again and again, nearly all
 * rows are soon requested as text; if it stops rarely, only a few are.
 */
class FallbackSize {
  /** Block size to request, rows. */
  block_rows = MAX_BLOCK_ROWS;
  #rows = 0;

  /** Reduces the block size; false if it is at its minimum. */
  shrinkBlocks(): boolean {
    if (this.block_rows <= MIN_BLOCK_ROWS) return false;
    this.block_rows /= BLOCK_STEP;
    return true;
  }

  /** Number of rows to request as text, after a stop with `decoded` rows decoded. */
  nextRows(decoded: number): number {
    const far = this.#rows === 0 || decoded > FAR_APART * this.#rows;
    this.#rows = far ? FIRST_ROWS : Math.min(MAX_ROWS, this.#rows * ROW_STEP);
    return this.#rows;
  }
}
