import type { LineBlock, LineOptions, LogWindow, RowKey } from '../../ports/log-database.ts';
import type { CallOptions } from '../../ports/types.ts';
import { isSettingRefused } from './errors.ts';
import { DecodeThreads } from './native/decode-threads.ts';
import type { Stop } from './native/decoder.ts';
import { FallbackSize } from './native/fallback-size.ts';
import { nativeLines } from './native/native-lines.ts';
import { splitLines } from './ndjson-splitter.ts';
import {
  type KeyRange,
  keyQuery,
  lineShape,
  linesQuery,
  NATIVE_SETTINGS,
  nativeQuery,
  type Query,
} from './queries.ts';

/** Turns a response into lines; returns a `Stop` if it stopped before the end of the response. */
export type ReadLines = (stream: AsyncIterable<Buffer>) => AsyncGenerator<LineBlock, Stop | undefined>;

/** What `LineReader` needs from the log database. */
export interface LineQueries {
  table: string;
  /** Runs a query and yields what `read` makes of the response. The query is cancelled if it is not read to the end. */
  stream(
    query: Query,
    settings: object,
    options: LineOptions,
    read: ReadLines,
  ): AsyncGenerator<LineBlock, Stop | undefined>;
  /** Runs a query with a small result. */
  rows<Row>(query: Query, options: CallOptions): Promise<Row[]>;
}

/**
 * Reads archive lines. Rows are requested in Native format and formatted here, because formatting JSON columns is what
 * takes ClickHouse most of its time. Rows that cannot be decoded are requested as JSONEachRow text; reading then returns to
 * Native. Must be closed.
 */
export class LineReader {
  readonly #queries: LineQueries;
  readonly #threads = new DecodeThreads();
  /** False once the server has rejected the settings that `nativeQuery` needs. */
  #native = true;

  constructor(queries: LineQueries) {
    this.#queries = queries;
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
    const query = linesQuery(this.#queries.table, window, options.fields, keys);
    return this.#queries.stream(query, {}, options, (stream) =>
      splitLines(stream, lineShape(options.fields)),
    );
  }

  async *#decode(
    window: LogWindow,
    keys: KeyRange,
    block_rows: number,
    options: LineOptions,
  ): AsyncGenerator<LineBlock, Stop | undefined> {
    const query = nativeQuery(this.#queries.table, window, options.fields, keys);
    const settings = { ...(options.fields && NATIVE_SETTINGS), max_block_size: String(block_rows) };
    this.#threads.prepare();
    try {
      return yield* this.#queries.stream(query, settings, options, (stream) =>
        nativeLines(stream, { fractal_id: window.fractal_id, fields: options.fields }, this.#threads),
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
      const query = keyQuery(this.#queries.table, window, { start }, offset);
      const [key] = await this.#queries.rows<{ ms: number; id: string }>(query, { signal });
      if (!key) return undefined;
      const { ms, id } = key;
      // Rows with the same key must not be split.
      if (String(ms) !== start?.ms || id !== start.id) return { ms: String(ms), id };
    }
  }
}
