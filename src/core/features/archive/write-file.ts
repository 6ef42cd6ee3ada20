import { BifractError } from '../../contract/errors.ts';
import { type FileSummary, LineTail, writeArchive } from '../../format/index.ts';
import type { JobContext } from '../../job/context.ts';
import { withProgress } from '../../job/progress.ts';
import type { Retrier } from '../../job/retry.ts';
import type { Granularity } from '../../policy/periods.ts';
import type { Catalog, Fractal } from '../../ports/catalog.ts';
import type { Key } from '../../ports/key.ts';
import type { LineBlock, LogDatabase, LogWindow } from '../../ports/log-database.ts';
import type { Storage } from '../../ports/storage.ts';
import { checkStoredSize } from '../files/check-size.ts';
import { streamRows } from './row-stream.ts';
import type { ArchiveWindow } from './windows.ts';

export interface ArchiveFileDeps {
  catalog: Catalog;
  logs: LogDatabase;
  storage: Storage;
  key: Key;
  version: string;
  /** Memory limit of the query in ClickHouse, bytes. */
  max_memory: number;
}

/** A file to write, and its record. */
export interface ArchiveFile {
  fractal: Fractal;
  split: Granularity;
  /** Include the parsed fields in each line. */
  fields: boolean;
  archive_id: string;
  path: string;
  window: ArchiveWindow;
  /** Rows stored before the job was interrupted: written first, and not queried again. */
  stored?: AsyncIterable<LineBlock>;
}

/** Totals of the files written so far, to which progress adds. */
export interface ArchiveTotals {
  rows: number;
  bytes_in: number;
  bytes_out: number;
  total_rows: number;
}

/**
 * Writes one archive file. It is sealed only after its row count matches ClickHouse's, and is in storage when this
 * returns.
 */
export async function writeArchiveFile(
  deps: ArchiveFileDeps,
  file: ArchiveFile,
  totals: ArchiveTotals,
  retrier: Retrier,
  context: JobContext,
): Promise<FileSummary> {
  const { signal, now } = context;
  const sealed = writeArchive(countedRows(deps, file, retrier, context), {
    key: deps.key,
    head: {
      created: now().toISOString(),
      tool: `bifract-console ${deps.version}`,
      fractal: { id: file.fractal.id, name: file.fractal.name },
      period: file.window.label,
      split: file.split,
      fields: file.fields,
    },
    signal,
  });
  const bytes = withReporting(deps.catalog, file, totals, sealed, context);
  const keepUnfinished = () => retrier.exhausted;
  const object = await deps.storage.put(file.path, bytes, {
    signal,
    job: context.id,
    keepUnfinished: keepUnfinished,
  });
  const summary = await checkStoredSize(deps.storage, object, sealed.summary());
  if (summary.long_lines > 0) context.emit('job:warning', { message: longLinesMessage(summary.long_lines) });
  return summary;
}

/** Passes the bytes on, and reports progress as events and to the catalog. */
function withReporting(
  catalog: Catalog,
  { archive_id, fractal, window }: ArchiveFile,
  totals: ArchiveTotals,
  sealed: { bytes: AsyncIterable<Buffer>; progress(): { rows: number; bytes_in: number; bytes_out: number } },
  { emit }: JobContext,
): AsyncIterable<Buffer> {
  const report = catalogReporter(catalog, archive_id, () => sealed.progress());
  const progress = () => {
    const { rows, bytes_in, bytes_out } = sealed.progress();
    return {
      item: window.label ?? fractal.name,
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
      report();
    },
    progress,
  );
}

function longLinesMessage(count: number): string {
  return `${count} ${count === 1 ? 'line is' : 'lines are'} 10 MiB or longer: this program can restore them, the restore of the Bifract server cannot`;
}

/** Yields the rows, then throws unless their count matches: the file is then never sealed. */
async function* countedRows(
  { logs, max_memory }: ArchiveFileDeps,
  { fractal, window, fields, stored }: ArchiveFile,
  retrier: Retrier,
  { signal, emit }: JobContext,
): AsyncIterable<LineBlock> {
  const rows: LogWindow = { fractal_id: fractal.id, from: window.from, to: window.to };
  const tail = new LineTail();
  let written = 0;
  for await (const block of stored ?? []) {
    tail.add(block.bytes);
    written += block.lines;
    yield block;
  }
  for await (const block of streamRows(logs, rows, { fields, max_memory, signal }, tail, retrier)) {
    written += block.lines;
    yield block;
  }
  if (window.label === null) emit('job:phase', { phase: 'Comparing counts' });
  const { rows: after } = await retrier.through(() => logs.stats(rows, { signal }), signal);
  assertCountsAgree(written, window.rows, after);
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

const REPORT_INTERVAL_MS = 2000;

/** Reports progress to the catalog from time to time. Errors are ignored: only the final result matters. */
function catalogReporter(
  catalog: Catalog,
  archive_id: string,
  read: () => { rows: number; bytes_out: number },
): () => void {
  let last = performance.now();
  return () => {
    if (performance.now() - last < REPORT_INTERVAL_MS) return;
    last = performance.now();
    const { rows, bytes_out } = read();
    catalog.updateProgress(archive_id, { log_count: rows, size_bytes: bytes_out }).catch(() => undefined);
  };
}
