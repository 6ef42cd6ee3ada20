import type { LineBlock, LineOptions, LogWindow, RowKey } from '../ports/log-database.ts';
import type { CallOptions } from '../ports/types.ts';
import { isSettingRefused } from './clickhouse-errors.ts';
import {
  type KeyRange,
  keyQuery,
  lineShape,
  linesQuery,
  NATIVE,
  nativeQuery,
  type Query,
} from './clickhouse-query.ts';
import { cutLines } from './line-cutter.ts';
import { DecodeThreads } from './native/decode-threads.ts';
import type { Stop } from './native/decoder.ts';
import { nativeLines } from './native/native-lines.ts';
import { Stretch } from './native/stretch.ts';

/** What turns an answer into lines; where it stops short of the answer's end, it says where. */
export type ReadLines = (stream: AsyncIterable<Buffer>) => AsyncGenerator<LineBlock, Stop | undefined>;

/** What reading lines needs of the log database. */
export interface LineQueries {
  table: string;
  /** What `read` makes of a query's answer. The query ends with it. */
  answer(
    query: Query,
    settings: object,
    options: LineOptions,
    read: ReadLines,
  ): AsyncGenerator<LineBlock, Stop | undefined>;
  /** The rows of a short answer. */
  rows<Row>(query: Query, options: CallOptions): Promise<Row[]>;
}

/**
 * Reads lines. With fields, rows come in Native format and the lines are written here: ClickHouse takes most of its
 * time over the text of JSON columns. Rows that are not decoded come as its text, and after them Native goes on.
 * Must be closed.
 */
export class LineReader {
  readonly #queries: LineQueries;
  readonly #threads = new DecodeThreads();
  /** Whether the server knows what `nativeQuery` needs, as far as is known. */
  #native = true;

  constructor(queries: LineQueries) {
    this.#queries = queries;
  }

  async *lines(window: LogWindow, options: LineOptions): AsyncGenerator<LineBlock> {
    const stretch = new Stretch();
    let start = options.start;
    while (this.#native) {
      const stop = yield* this.#decoded(window, { start }, stretch.block_rows, options);
      if (!stop) return;
      start = stop.cursor ?? start;
      if (!this.#native) break;
      if (stop.large && stretch.smaller()) continue;
      const end = await this.#keyAfter(window, start, stretch.next(stop.lines), options);
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
    return this.#queries.answer(query, {}, options, (stream) => cutLines(stream, lineShape(options.fields)));
  }

  async *#decoded(
    window: LogWindow,
    keys: KeyRange,
    block_rows: number,
    options: LineOptions,
  ): AsyncGenerator<LineBlock, Stop | undefined> {
    const query = nativeQuery(this.#queries.table, window, options.fields, keys);
    const settings = { ...(options.fields && NATIVE), max_block_size: String(block_rows) };
    this.#threads.prepare();
    try {
      return yield* this.#queries.answer(query, settings, options, (stream) =>
        nativeLines(stream, { fractal_id: window.fractal_id, fields: options.fields }, this.#threads),
      );
    } catch (error) {
      if (!isSettingRefused(error)) throw error;
      this.#native = false;
      return { cursor: undefined, large: false, lines: 0 };
    }
  }

  /** Key of the row that lies so many behind the first one; undefined where there are not as many. */
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
      // Where so many rows share a key, all of them must come.
      if (String(ms) !== start?.ms || id !== start.id) return { ms: String(ms), id };
    }
  }
}
