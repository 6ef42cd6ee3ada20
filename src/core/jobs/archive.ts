import { BifractError } from '../errors.ts';
import { type FileSummary, type Key, writeArchive } from '../format/index.ts';
import { archiveName, archivePath } from '../policy/names.ts';
import type { Catalog, Fractal } from '../ports/catalog.ts';
import type { LineBlock, LogDatabase, LogStats, LogWindow } from '../ports/log-database.ts';
import type { State } from '../ports/state.ts';
import type { Storage } from '../ports/storage.ts';
import type { JobContext } from './context.ts';
import { metered } from './meter.ts';
import { closeRecord, failRecord } from './record.ts';
import { storedWhole } from './stored.ts';

export interface ArchiveDeps {
  catalog: Catalog;
  logs: LogDatabase;
  storage: Storage;
  state: State;
  key: Key;
  /** This program's version. */
  version: string;
  /** Memory ceiling of the query in ClickHouse, bytes. */
  max_memory: number;
}

export interface ArchiveOptions {
  fractal_id: string;
  /** Write the parsed fields into each line. */
  fields: boolean;
}

export interface ArchiveSummary {
  fractal_id: string;
  fractal_name: string;
  /** Null where the fractal holds no rows: then there is neither file nor record. */
  archive_id: string | null;
  storage_path: string | null;
  size_bytes: number;
  log_count: number;
  content_bytes: number;
  checksum: string | null;
  time_range_start: string | null;
  time_range_end: string | null;
  duration_ms: number;
}

/** What one run of the job is about, once its record is open. */
interface Run {
  fractal: Fractal;
  archive_id: string;
  path: string;
  window: LogWindow;
  expected: LogStats;
}

/**
 * Archives all rows of a fractal into one sealed file, with its group and record in the catalog.
 *
 * The newest row at the start pins the end. The file is sealed only after its rows were counted against
 * ClickHouse's own count, and the record is completed only after the file is durable.
 */
export async function archive(
  deps: ArchiveDeps,
  options: ArchiveOptions,
  context: JobContext,
): Promise<ArchiveSummary> {
  const started = performance.now();
  const took = () => Math.round(performance.now() - started);
  const run = await open(deps, options.fractal_id, context);
  if (!run) return { ...(await nothing(deps, options.fractal_id)), duration_ms: took() };
  try {
    const summary = await write(deps, options, run, context);
    context.emit('job:phase', { phase: 'Completing the record' });
    await closeRecord(deps.catalog, run.archive_id, { ...summary, storage_path: run.path }, context);
    await deps.state.forget(context.id);
    return { ...describe(run, summary), duration_ms: took() };
  } catch (error) {
    // A note that stays makes the next start finish what could not be written now.
    if (await failRecord(deps.catalog, run.archive_id, error)) await deps.state.forget(context.id);
    throw error;
  }
}

async function findFractal(catalog: Catalog, id: string, signal?: AbortSignal): Promise<Fractal> {
  const fractal = (await catalog.fractals({ signal })).find((one) => one.id === id);
  if (fractal) return fractal;
  throw new BifractError('NOT_FOUND', `There is no fractal ${id}`, { hint: 'See `bifract list fractals`.' });
}

async function open(
  { catalog, logs, storage, state }: ArchiveDeps,
  fractal_id: string,
  { id, signal, emit, now }: JobContext,
): Promise<Run | undefined> {
  emit('job:phase', { phase: 'Counting rows' });
  const fractal = await findFractal(catalog, fractal_id, signal);
  const expected = await logs.stats({ fractal_id }, { signal });
  if (expected.last === null) return undefined;
  const filename = archiveName(fractal_id, now());
  const path = archivePath(fractal_id, filename);
  const { archive_id } = await catalog.openArchive(
    {
      fractal_id,
      filename,
      storage_type: storage.kind === 's3' ? 's3' : 'disk',
      storage_path: path,
      archive_type: 'adhoc',
      archive_end_ts: expected.last,
    },
    { signal },
  );
  await state.note({ id, kind: 'archive', started_at: now().toISOString(), archive_id, object: path });
  return { fractal, archive_id, path, window: { fractal_id, to: justAfter(expected.last) }, expected };
}

/** Log times are whole milliseconds, so the next one is the first that a window up to `time` leaves out. */
function justAfter(time: string): string {
  return new Date(Date.parse(time) + 1).toISOString();
}

async function write(
  deps: ArchiveDeps,
  options: ArchiveOptions,
  run: Run,
  context: JobContext,
): Promise<FileSummary> {
  const { signal, emit, now } = context;
  emit('job:phase', { phase: 'Archiving' });
  const file = writeArchive(countedLines(deps, options, run, context), {
    key: deps.key,
    head: {
      created: now().toISOString(),
      tool: `bifract-console ${deps.version}`,
      fractal: { id: run.fractal.id, name: run.fractal.name },
      period: null,
      split: 'none',
      fields: options.fields,
    },
    signal,
  });
  const progress = () => ({ item: run.fractal.name, total_rows: run.expected.rows, ...file.progress() });
  const note = noter(deps.catalog, run.archive_id, () => file.progress());
  const object = await deps.storage.put(
    run.path,
    metered(
      file.bytes,
      (event, payload) => {
        emit(event, payload);
        note();
      },
      progress,
    ),
    { signal, job: context.id },
  );
  const summary = await storedWhole(deps.storage, object, file.summary());
  if (summary.long_lines > 0) emit('job:warning', { message: longLines(summary.long_lines) });
  return summary;
}

function longLines(count: number): string {
  return `${count} ${count === 1 ? 'line is' : 'lines are'} of 10 MiB or more: this program reads them, the Bifract server's own restore does not`;
}

/** The lines, and after the last one the proof: no count agrees, no end is ever sealed. */
async function* countedLines(
  { logs, max_memory }: ArchiveDeps,
  { fields }: ArchiveOptions,
  { window, expected }: Run,
  { signal, emit }: JobContext,
): AsyncIterable<LineBlock> {
  let written = 0;
  for await (const block of logs.lines(window, { fields, max_memory, signal })) {
    written += block.lines;
    yield block;
  }
  emit('job:phase', { phase: 'Comparing counts' });
  const { rows: after } = await logs.stats(window, { signal });
  // Rows that arrive or expire while the query reads its own snapshot move the count between these two.
  if (written >= Math.min(expected.rows, after) && written <= Math.max(expected.rows, after)) return;
  throw new BifractError(
    'COUNT_DIFFERS',
    `ClickHouse counts ${after} rows (${expected.rows} at the start) but sent ${written}`,
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

function describe(run: Run, summary: FileSummary): Omit<ArchiveSummary, 'duration_ms'> {
  return {
    fractal_id: run.fractal.id,
    fractal_name: run.fractal.name,
    archive_id: run.archive_id,
    storage_path: run.path,
    size_bytes: summary.size_bytes,
    log_count: summary.rows,
    content_bytes: summary.content_bytes,
    checksum: summary.checksum,
    time_range_start: summary.first,
    time_range_end: summary.last,
  };
}

async function nothing(
  { catalog }: ArchiveDeps,
  fractal_id: string,
): Promise<Omit<ArchiveSummary, 'duration_ms'>> {
  const { name } = await findFractal(catalog, fractal_id);
  return {
    fractal_id,
    fractal_name: name,
    archive_id: null,
    storage_path: null,
    size_bytes: 0,
    log_count: 0,
    content_bytes: 0,
    checksum: null,
    time_range_start: null,
    time_range_end: null,
  };
}
