import { firstMillisecond } from '../../policy/row-range.ts';
import type { LogsShape } from '../../ports/installation-shape.ts';
import type { LineBlock, LineOptions, LogWindow, RowKey } from '../../ports/log-database.ts';
import type { CallOptions, Timestamp } from '../../ports/types.ts';
import { isSettingRefused } from './errors.ts';
import { joinInOrder, type OwnedBlock } from './join-in-order.ts';
import { DecodeThreads } from './native/decode-thread.ts';
import type { Stop } from './native/decoder.ts';
import type { ResponseScope } from './native/line-assembler.ts';
import { nativeLines } from './native/native-lines.ts';
import { splitLines } from './ndjson-splitter.ts';
import {
  firstQuery,
  type KeyRange,
  keyQuery,
  type LineSource,
  LOW_MEMORY,
  lineShape,
  lineSource,
  linesQuery,
  NATIVE_SETTINGS,
  nativeQuery,
} from './queries.ts';
import { FallbackSize, JoinSize } from './read-sizes.ts';
import type { ClickHouseSession, StatementOptions } from './session.ts';
import { RangeSize, type StartedWindow, timeRanges } from './time-ranges.ts';

const KEY_LIMIT_MS = 600_000;
/** ClickHouse would open the partitions of a whole window at once, and needs some MB of memory for each. */
const PARTITIONED_BY_DAY = /\btoDate\(|\btoYYYYMMDD\(|\btoStartOf(?:Day|Hour)\(/;
/** Days to read at a time; more of them after a span with few rows. */
const SPAN_DAYS = 16;
const SPAN_MAX_DAYS = 256;
const SPAN_FEW_ROWS = 16_384;
const DAY_MS = 86_400_000;

/**
 * Reads archive lines. Rows are requested in Native format and formatted here, because formatting JSON columns is what
 * takes ClickHouse most of its time. Rows that cannot be decoded are requested as JSONEachRow text; reading then returns to
 * Native. Must be closed.
 */
export class LineReader {
  readonly #session: ClickHouseSession;
  readonly #shape: (options: CallOptions) => Promise<LogsShape>;
  readonly #threads = new DecodeThreads();
  /** False once the server has rejected the settings that `nativeQuery` needs. */
  #native = true;

  constructor(session: ClickHouseSession, shape: (options: CallOptions) => Promise<LogsShape>) {
    this.#session = session;
    this.#shape = shape;
  }

  async *lines(window: LogWindow, options: LineOptions): AsyncGenerator<LineBlock> {
    for await (const block of this.#ranges(window, options)) {
      yield block;
      block.free();
    }
  }

  /** Reads ranges of the window at the same time, if there may be several queries. */
  async *#ranges(window: LogWindow, { start, ...options }: LineOptions): AsyncGenerator<OwnedBlock> {
    const shape = await this.#shape(options);
    const scope = { shape, firstRaw: await this.#firstRaw(shape, window, options), join: new JoinSize() };
    const streams = options.low_memory ? 1 : (options.parallel ?? 1);
    if (streams === 1) return yield* this.#days(scope, { ...window, start }, options);
    const stop = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
    const { max_memory } = options;
    const each = { ...options, signal, max_memory: max_memory && Math.floor(max_memory / streams) };
    const source = lineSource(shape, this.#session.dialect, options.fields);
    const size = new RangeSize();
    const read = (range: StartedWindow) => size.measure(this.#days(scope, range, each));
    const ranges = timeRanges(this.#session, source, { ...window, start }, size, { signal });
    yield* joinInOrder(mapped(ranges, read), streams, () => stop.abort());
  }

  /** Rows of a window, of some days at a time if days are partitions. */
  async *#days(scope: Scope, { start: key, ...window }: StartedWindow, options: LineOptions) {
    if (!PARTITIONED_BY_DAY.test(scope.shape.partition_key))
      return yield* this.#span(scope, window, { ...options, start: key });
    let start = key;
    let from = start === undefined ? window.from : laterOf(window.from, start);
    let first = await this.#firstTime({ ...window, from }, options);
    for (let days = SPAN_DAYS; first !== undefined; ) {
      const end: Timestamp = new Date((Math.floor(first / DAY_MS) + days) * DAY_MS).toISOString();
      const last = window.to !== undefined && Date.parse(window.to) <= Date.parse(end);
      let lines = 0;
      const span = { fractal_id: window.fractal_id, from, to: last ? window.to : end };
      for await (const block of this.#span(scope, span, { ...options, start })) {
        lines += block.lines;
        yield block;
      }
      if (last) return;
      [from, start] = [end, undefined];
      // This reads the times of all rows that are left.
      first = lines > 0 ? Date.parse(end) : await this.#firstTime({ ...window, from }, options);
      days = lines < SPAN_FEW_ROWS ? Math.min(SPAN_MAX_DAYS, days * 2) : SPAN_DAYS;
    }
  }

  /** Rows of a window, with their original lines if these are in another table. */
  async *#span(
    { shape, firstRaw, join }: Scope,
    window: LogWindow,
    options: LineOptions,
  ): AsyncGenerator<OwnedBlock> {
    const source = (joined = false) => lineSource(shape, this.#session.dialect, options.fields, joined);
    // A join keeps its right side in memory: only where there are original lines, and some rows at a time.
    const from = window.from === undefined ? -Infinity : firstMillisecond(window.from);
    const to = window.to === undefined ? Infinity : firstMillisecond(window.to);
    const first =
      firstRaw === undefined || firstRaw >= to ? undefined : { ms: String(Math.max(firstRaw, from)), id: '' };
    let start = options.start ?? (firstRaw !== undefined && firstRaw <= from ? first : undefined);
    if (!first || !start || BigInt(start.ms) < BigInt(first.ms)) {
      yield* this.#read(source(), window, { start, end: first }, options);
      start = first;
    }
    while (start) {
      const end: RowKey | undefined = await this.#keyAfter(source(), window, { start }, join.rows, options);
      yield* join.adapt(this.#read(source(true), window, { start, end }, options, join.block_rows));
      start = end;
    }
  }

  async *#read(
    source: LineSource,
    window: LogWindow,
    { start: from, end }: KeyRange,
    options: LineOptions,
    block_rows?: number,
  ): AsyncGenerator<OwnedBlock> {
    const fallback = new FallbackSize(block_rows);
    let start = from;
    while (this.#native) {
      const stop = yield* this.#decode(source, window, { start, end }, fallback.block_rows, options);
      if (!stop) return;
      start = stop.cursor ?? start;
      if (!this.#native) break;
      if (stop.large && fallback.shrinkBlocks()) continue;
      const next = await this.#keyAfter(
        source,
        window,
        { start, end },
        fallback.nextRows(stop.lines),
        options,
      );
      yield* this.#text(source, window, { start, end: next ?? end }, options);
      if (!next) return;
      start = next;
    }
    yield* this.#text(source, window, { start, end }, options);
  }

  /** Time of the first row that may have an original line in another table; undefined if there are none. */
  async #firstRaw(shape: LogsShape, window: LogWindow, options: LineOptions): Promise<number | undefined> {
    const { raw } = lineSource(shape, this.#session.dialect, options.fields);
    return shape.raw_from === 'logs_raw' && raw ? this.#first(raw.table, window, options) : undefined;
  }

  /** Time of the first row of a window; undefined if there are none. */
  #firstTime(window: LogWindow, options: LineOptions): Promise<number | undefined> {
    return this.#first(this.#session.dialect.logs, window, options);
  }

  async #first(table: string, window: LogWindow, { signal }: LineOptions): Promise<number | undefined> {
    const found = await this.#session.row<{ rows: number; ms: number }>(firstQuery(table, window), {
      signal,
      limit_ms: KEY_LIMIT_MS,
    });
    return found.rows === 0 ? undefined : found.ms;
  }

  close(): Promise<void> {
    return this.#threads.close();
  }

  #text(
    source: LineSource,
    window: LogWindow,
    keys: KeyRange,
    options: LineOptions,
  ): AsyncGenerator<OwnedBlock, unknown> {
    const query = linesQuery(source, window, keys);
    return this.#session.stream(query, statementOptions(options), (chunks) =>
      splitLines(chunks, lineShape(source)),
    );
  }

  async *#decode(
    source: LineSource,
    window: LogWindow,
    keys: KeyRange,
    block_rows: number,
    options: LineOptions,
  ): AsyncGenerator<OwnedBlock, Stop | undefined> {
    const query = nativeQuery(source, window, keys);
    const settings = { ...(options.fields && NATIVE_SETTINGS), max_block_size: String(block_rows) };
    this.#threads.prepare();
    try {
      return yield* this.#session.stream(query, statementOptions(options, settings), (chunks) =>
        nativeLines(chunks, scopeOf(source, window), this.#threads),
      );
    } catch (error) {
      if (!isSettingRefused(error)) throw error;
      this.#native = false;
      return { cursor: undefined, large: false, lines: 0 };
    }
  }

  /** Key of the row `rows` rows after `start`; undefined if there are fewer. */
  async #keyAfter(
    source: LineSource,
    window: LogWindow,
    { start, end }: KeyRange,
    rows: number,
    { signal }: LineOptions,
  ): Promise<RowKey | undefined> {
    for (let offset = rows; ; offset *= 2) {
      const query = keyQuery(source, window, { start, end }, offset);
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

/** What is known of the rows of a window. */
interface Scope {
  shape: LogsShape;
  /** Time of the first row that may have an original line in another table. */
  firstRaw: number | undefined;
  join: JoinSize;
}

async function* mapped<From, To>(items: AsyncIterable<From>, map: (item: From) => To): AsyncGenerator<To> {
  for await (const item of items) yield map(item);
}

/** The later of the start of a window and the time of a key. */
function laterOf(from: Timestamp | undefined, { ms }: RowKey): Timestamp {
  const time = new Date(Number(ms)).toISOString();
  return from === undefined || Date.parse(from) < Number(ms) ? time : from;
}

function scopeOf({ fields, other }: LineSource, { fractal_id }: LogWindow): ResponseScope {
  return { fractal_id, fields, norm: other.norm_log, cols: other.columns.length > 0 };
}

function statementOptions(
  { signal, max_memory, low_memory }: LineOptions,
  settings: object = {},
): StatementOptions {
  return { signal, max_memory, settings: { ...settings, ...(low_memory && LOW_MEMORY) } };
}
