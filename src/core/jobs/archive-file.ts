import { BifractError } from '../errors.ts';
import { type FileSummary, type Key, LineTail, writeArchive } from '../format/index.ts';
import type { Granularity } from '../policy/periods.ts';
import type { Catalog, Fractal } from '../ports/catalog.ts';
import type { LineBlock, LogDatabase, LogWindow } from '../ports/log-database.ts';
import type { Storage } from '../ports/storage.ts';
import type { ArchiveWindow } from './archive-windows.ts';
import type { JobContext } from './context.ts';
import { metered } from './meter.ts';
import type { Patience } from './patience.ts';
import { steadyLines } from './steady-lines.ts';
import { storedWhole } from './stored.ts';

export interface ArchiveFileDeps {
  catalog: Catalog;
  logs: LogDatabase;
  storage: Storage;
  key: Key;
  /** This program's version. */
  version: string;
  /** Memory ceiling of the query in ClickHouse, bytes. */
  max_memory: number;
}

/** A file to be written, and the record that it has. */
export interface ArchiveFile {
  fractal: Fractal;
  split: Granularity;
  /** Write the parsed fields into each line. */
  fields: boolean;
  archive_id: string;
  path: string;
  window: ArchiveWindow;
  /** Rows that were stored before the job was interrupted: they come first, and are not asked for again. */
  stored?: AsyncIterable<LineBlock>;
}

/** What the files before this one came to: progress is told of all of them. */
export interface Before {
  rows: number;
  bytes_in: number;
  bytes_out: number;
  total_rows: number;
}

/**
 * Writes one archive file. It is sealed only after its rows were counted against ClickHouse's own count, and is in
 * storage when this returns.
 */
export async function writeFile(
  deps: ArchiveFileDeps,
  file: ArchiveFile,
  before: Before,
  patience: Patience,
  context: JobContext,
): Promise<FileSummary> {
  const { signal, now } = context;
  const sealed = writeArchive(countedLines(deps, file, patience, context), {
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
  const bytes = noted(deps.catalog, file, before, sealed, context);
  const keep = () => patience.exhausted;
  const object = await deps.storage.put(file.path, bytes, { signal, job: context.id, keep });
  const summary = await storedWhole(deps.storage, object, sealed.summary());
  if (summary.long_lines > 0) context.emit('job:warning', { message: longLines(summary.long_lines) });
  return summary;
}

/** The bytes, while they flow told to whoever watches, and to the server's own page. */
function noted(
  catalog: Catalog,
  { archive_id, fractal, window }: ArchiveFile,
  before: Before,
  sealed: { bytes: AsyncIterable<Buffer>; progress(): { rows: number; bytes_in: number; bytes_out: number } },
  { emit }: JobContext,
): AsyncIterable<Buffer> {
  const note = noter(catalog, archive_id, () => sealed.progress());
  const progress = () => {
    const { rows, bytes_in, bytes_out } = sealed.progress();
    return {
      item: window.label ?? fractal.name,
      rows: before.rows + rows,
      total_rows: before.total_rows,
      bytes_in: before.bytes_in + bytes_in,
      bytes_out: before.bytes_out + bytes_out,
    };
  };
  return metered(
    sealed.bytes,
    (event, payload) => {
      emit(event, payload);
      note();
    },
    progress,
  );
}

function longLines(count: number): string {
  return `${count} ${count === 1 ? 'line is' : 'lines are'} of 10 MiB or more: this program reads them, the Bifract server's own restore does not`;
}

/** The lines, and after the last one the proof: no count agrees, no end is ever sealed. */
async function* countedLines(
  { logs, max_memory }: ArchiveFileDeps,
  { fractal, window, fields, stored }: ArchiveFile,
  patience: Patience,
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
  for await (const block of steadyLines(logs, rows, { fields, max_memory, signal }, tail, patience)) {
    written += block.lines;
    yield block;
  }
  if (window.label === null) emit('job:phase', { phase: 'Comparing counts' });
  const { rows: after } = await patience.through(() => logs.stats(rows, { signal }), signal);
  mustAgree(written, window.rows, after);
}

/** Rows that arrive or expire while the query reads its own snapshot move the count between the two. */
function mustAgree(written: number, before: number, after: number): void {
  if (written >= Math.min(before, after) && written <= Math.max(before, after)) return;
  throw new BifractError(
    'COUNT_DIFFERS',
    `ClickHouse counts ${after} rows (${before} at the start) but sent ${written}`,
    { hint: 'Nothing was stored. Try again; if it happens again, check ClickHouse for broken parts.' },
  );
}

const NOTE_INTERVAL_MS = 2000;

/** Tells the catalog of the progress now and then. A note that fails is no harm: the job's own end is what counts. */
function noter(
  catalog: Catalog,
  archive_id: string,
  read: () => { rows: number; bytes_out: number },
): () => void {
  let last = performance.now();
  return () => {
    if (performance.now() - last < NOTE_INTERVAL_MS) return;
    last = performance.now();
    const { rows, bytes_out } = read();
    catalog.noteProgress(archive_id, { log_count: rows, size_bytes: bytes_out }).catch(() => undefined);
  };
}
