import { BifractError } from '../../contract/errors.ts';
import {
  archiveLines,
  type FileSummary,
  ResumePoint,
  readContent,
  type SealedFile,
  writeArchive,
} from '../../format/index.ts';
import type { JobContext } from '../../job/context.ts';
import { withProgress } from '../../job/progress.ts';
import type { Retrier } from '../../job/retry.ts';
import { ordinaryColumns } from '../../policy/log-columns.ts';
import type { Catalog } from '../../ports/catalog.ts';
import type { LineBlock, LineOptions, LogDatabase, LogWindow } from '../../ports/log-database.ts';
import type { UnfinishedObject } from '../../ports/storage.ts';
import { checkStoredSize } from '../files/check-size.ts';
import type { Connected } from './connect.ts';
import { type ArchiveFileName, type ArchivePlan, type ArchiveWindow, logWindow } from './plan.ts';

/** A file to write. */
export interface ArchiveFile extends ArchiveFileName {
  window: ArchiveWindow;
  /** Partial file of an interrupted job: its rows are written first, and not queried again. */
  unfinished?: UnfinishedObject;
}

/** Totals of the files written so far, to which progress adds. */
export interface ArchiveTotals {
  rows: number;
  bytes_in: number;
  bytes_out: number;
  total_rows: number;
}

/** After this many failed attempts in a row, queries use less memory, in case that is the cause. */
const LOW_MEMORY_FROM_ATTEMPT = 2;
/** How often the catalog receives the progress, milliseconds. */
const CATALOG_INTERVAL_MS = 2000;
/** Errors that mark the end of an unfinished file; after a key change, nothing of it is readable. */
const END_CODES = new Set(['CUT_OFF', 'DAMAGED', 'NOT_BIFRACT', 'WRONG_KEY', 'NOT_FOUND']);

/**
 * Writes one archive file. It is sealed only after its row count matches ClickHouse's, and is in storage when this
 * returns.
 */
export async function writeArchiveFile(
  connected: Connected,
  { fractal, request, parallel }: ArchivePlan,
  file: ArchiveFile,
  totals: ArchiveTotals,
  retrier: Retrier,
  context: JobContext,
): Promise<FileSummary> {
  const { services, storage, key } = connected;
  const { signal, now, emit } = context;
  const { split, fields } = request;
  const shape = await retrier.through(() => connected.logs.shape({ signal }), signal);
  const sealed = writeArchive(countedRows(connected, { ...request, parallel }, file, retrier, context), {
    key,
    head: {
      created: now().toISOString(),
      tool: `bifract-console ${services.installation.version}`,
      fractal: { id: fractal.id, name: fractal.name },
      period: file.window.label,
      split,
      fields,
      raw_from: shape.raw_from,
      columns: ordinaryColumns(shape).map(({ name, type, default_expression }) => ({
        name,
        type,
        default: default_expression,
      })),
    },
    signal,
  });
  const item = file.window.label ?? fractal.name;
  const bytes = withReporting(connected.catalog, file, { item, ...totals }, sealed, context);
  const keepUnfinished = () => retrier.exhausted;
  const object = await storage.put(file.path, bytes, { signal, job: context.id, keepUnfinished });
  const summary = await checkStoredSize(storage, object, sealed.summary());
  if (summary.long_lines > 0) emit('job:warning', { message: longLinesMessage(summary.long_lines) });
  return summary;
}

/** Yields the rows, then throws unless their count matches: the file is then never sealed. */
async function* countedRows(
  connected: Connected,
  { fractal_id, fields, parallel }: ArchivePlan['request'] & Pick<ArchivePlan, 'parallel'>,
  { window, unfinished }: ArchiveFile,
  retrier: Retrier,
  { signal, emit }: JobContext,
): AsyncIterable<LineBlock> {
  const { logs, services } = connected;
  const { max_memory, parallel: setting } = services.archive_limits;
  const options = { fields, max_memory, parallel: parallel ?? setting, signal };
  const rows = logWindow(fractal_id, window);
  const tail = new ResumePoint();
  let written = 0;
  for await (const block of unfinished ? storedRows(connected, unfinished, signal) : []) {
    tail.add(block.bytes);
    written += block.lines;
    yield block;
  }
  for await (const block of streamRows(logs, rows, options, tail, retrier)) {
    written += block.lines;
    yield block;
  }
  if (window.label === null) emit('job:phase', { phase: 'Comparing counts' });
  const { rows: after } = await retrier.through(() => logs.stats(rows, { signal }), signal);
  assertCountsAgree(written, window.rows, after);
}

/**
 * The rows of an unfinished archive file, as far as its chunks authenticate. They are encrypted again under another
 * base: no nonce may serve for two plaintexts.
 */
async function* storedRows(
  { storage, key }: Connected,
  object: UnfinishedObject,
  signal: AbortSignal,
): AsyncGenerator<LineBlock> {
  const bytes = storage.readUnfinished?.(object, { signal });
  if (!bytes) return;
  try {
    yield* archiveLines(readContent(bytes, { keys: [key], signal }));
  } catch (error) {
    if (error instanceof BifractError && END_CODES.has(error.code)) return;
    throw error;
  }
}

/**
 * The lines of a window, each once, even if the query is interrupted: it resumes at the row after the last one in
 * `tail`. Throws errors that are not transient, and once retries are exhausted.
 */
async function* streamRows(
  logs: LogDatabase,
  window: LogWindow,
  { signal, ...options }: LineOptions & { signal: AbortSignal },
  tail: ResumePoint,
  retrier: Retrier,
): AsyncGenerator<LineBlock> {
  for (let low_memory = false; ; ) {
    try {
      const start = tail.key();
      const lines = logs.lines(window, { ...options, signal, start, low_memory });
      for await (const block of start ? tail.unseen(lines) : lines) {
        retrier.progressed();
        tail.add(block.bytes);
        yield block;
      }
      return;
    } catch (error) {
      await retrier.wait(error, signal);
      low_memory ||= retrier.attempt >= LOW_MEMORY_FROM_ATTEMPT;
    }
  }
}

/** Rows that arrive or expire during the query may change the count. */
function assertCountsAgree(written: number, before: number, after: number): void {
  if (written >= Math.min(before, after) && written <= Math.max(before, after)) return;
  throw new BifractError(
    'COUNT_DIFFERS',
    `ClickHouse counts ${after} rows (${before} at the start) but sent ${written}`,
    { hint: 'Nothing was stored. Try again; if it fails again, check ClickHouse for broken parts.' },
  );
}

/** Passes the bytes on, and reports progress as events and to the catalog. */
function withReporting(
  catalog: Catalog,
  { archive_id }: ArchiveFile,
  { item, ...totals }: ArchiveTotals & { item: string },
  sealed: SealedFile,
  { emit }: JobContext,
): AsyncIterable<Buffer> {
  const reportToCatalog = catalogReporter(catalog, archive_id, sealed);
  const progress = () => {
    const { rows, bytes_in, bytes_out } = sealed.progress();
    return {
      item,
      rows: totals.rows + rows,
      total_rows: totals.total_rows,
      bytes_in: totals.bytes_in + bytes_in,
      bytes_out: totals.bytes_out + bytes_out,
    };
  };
  return withProgress(
    sealed.bytes,
    (event, payload) => {
      emit(event, payload);
      reportToCatalog();
    },
    progress,
  );
}

/** Reports progress to the catalog from time to time. Errors are ignored: only the final result matters. */
function catalogReporter(catalog: Catalog, archive_id: string, sealed: SealedFile): () => void {
  // Small files are not reported at all.
  let last = performance.now();
  return () => {
    if (performance.now() - last < CATALOG_INTERVAL_MS) return;
    last = performance.now();
    const { rows, bytes_out } = sealed.progress();
    catalog.updateProgress(archive_id, { log_count: rows, size_bytes: bytes_out }).catch(() => undefined);
  };
}

function longLinesMessage(count: number): string {
  return `${count} ${count === 1 ? 'line is' : 'lines are'} 10 MiB or longer: this program can restore them, but the Bifract server cannot`;
}
