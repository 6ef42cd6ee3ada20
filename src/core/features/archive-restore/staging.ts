import { randomBytes } from 'node:crypto';
import { BifractError } from '../../contract/errors.ts';
import { archiveBytes, RestoreLines, readContent } from '../../format/index.ts';
import type { JobContext } from '../../job/context.ts';
import type { Retrier } from '../../job/retry.ts';
import { rangeOf } from '../../policy/row-range.ts';
import type { Key } from '../../ports/key.ts';
import type { LogRestore } from '../../ports/log-restore.ts';
import type { Target } from '../files/target.ts';
import { compareWithRecord } from '../inspect/compare-record.ts';
import type { RestoreCheckpoint } from './checkpoint.ts';
import type { ArchiveRestoreFile, ArchiveRestorePlan } from './contract.ts';
import type { RestoreRecordLock } from './record-lock.ts';
import { RowFeed } from './row-feed.ts';

/** Limits of one staging table: what must be sent again if the connection breaks. */
const TABLE_ROWS = 4_000_000;
const TABLE_BYTES = 1024 ** 3;

export interface StageDeps {
  rows: LogRestore;
  keys: readonly Key[];
  /** Finds the file of a plan. */
  find(file: ArchiveRestoreFile): Promise<Target>;
  /** Memory limit of one statement, bytes. */
  max_memory: number;
  /** Rows per staging table; for tests. */
  table_rows?: number;
}

/** What all steps of one restore share. */
export interface RestoreRun {
  plan: ArchiveRestorePlan;
  checkpoint: RestoreCheckpoint;
  lock: RestoreRecordLock;
  retrier: Retrier;
  context: JobContext;
  progress: RestoreProgress;
}

/** Progress that never decreases, even if rows are read again. */
export class RestoreProgress {
  readonly #plan: ArchiveRestorePlan;
  readonly #emit: JobContext['emit'];
  #rows = 0;
  #bytes = 0;
  #reportedAt = Number.NEGATIVE_INFINITY;

  constructor(plan: ArchiveRestorePlan, emit: JobContext['emit']) {
    this.#plan = plan;
    this.#emit = emit;
  }

  report(item: string, rows: number, bytes_in: number): void {
    this.#rows = Math.max(this.#rows, rows);
    this.#bytes = Math.max(this.#bytes, bytes_in);
    if (performance.now() - this.#reportedAt < 100) return;
    this.#reportedAt = performance.now();
    const { rows: total_rows, content_bytes } = this.#plan;
    const total_bytes = Math.max(content_bytes, this.#bytes);
    this.#emit('job:progress', {
      item,
      rows: this.#rows,
      total_rows: Math.max(total_rows, this.#rows),
      bytes_in: this.#bytes,
      total_bytes,
    });
  }
}

/**
 * Loads the rows of a file into staging tables, and reads it completely: only a file that is intact and matches its
 * record is staged. Rows staged by an earlier run are skipped.
 */
export async function stageFile(deps: StageDeps, run: RestoreRun, index: number): Promise<void> {
  const { retrier, context } = run;
  let lenient = false;
  for (;;) {
    const before = stagedRows(run.checkpoint, index);
    try {
      return await stagePass(deps, run, index, lenient);
    } catch (error) {
      // Only the slower reader accepts fields that are not text; the next table tries the fast one again.
      const rejected = error instanceof BifractError && error.code === 'QUERY_FAILED' && !error.transient;
      if (rejected && !(lenient && stagedRows(run.checkpoint, index) === before)) lenient = true;
      else await retrier.wait(error, context.signal);
    }
  }
}

export function stagedRows({ data: entry }: RestoreCheckpoint, index: number): number {
  return entry.tables.filter(({ file }) => file === index).reduce((sum, { rows }) => sum + rows, 0);
}

async function stagePass(deps: StageDeps, run: RestoreRun, index: number, lenient: boolean): Promise<void> {
  const { plan, checkpoint, context } = run;
  const file = plan.files[index] as ArchiveRestoreFile;
  const target = await deps.find(file);
  assertUnchanged(target, file);
  const { signal } = context;
  const content = readContent(target.storage.stream(target.object.name, { signal }), {
    keys: deps.keys,
    signal,
  });
  const lines = new RestoreLines(rangeOf(plan), stagedRows(checkpoint, index));
  const feed = new RowFeed(archiveBytes(content), lines);
  const onProgress = report(run, index, lines, () => content.progress().bytes_out);
  try {
    let slowReader = lenient;
    while (await feed.hasMore()) {
      await fillTable(deps, run, index, feed, { lenient: slowReader, onProgress });
      slowReader = false;
    }
  } finally {
    await feed.close();
  }
  const { totals } = lines;
  const { size_bytes, checksum, sealed, head } = content.summary();
  const fractal_id = head?.fractal?.id ?? null;
  const { first, last } = totals;
  const rows = totals.rows + totals.malformed;
  const measured = { size_bytes, checksum, rows, first, last, fractal_id, sealed };
  if (target.record?.status === 'completed' || target.record?.status === 'restoring')
    compareWithRecord(target.record, measured);
  await checkpoint.save({
    files: [...checkpoint.data.files, { rows: totals.in_range, left_out: totals.malformed }],
  });
  if (totals.malformed > 0) context.emit('job:warning', { message: skippedLinesMessage(file, totals) });
}

/** A table is complete once ClickHouse counts as many rows in it as were sent; an incomplete one is never used. */
async function fillTable(
  { rows, max_memory, table_rows = TABLE_ROWS }: StageDeps,
  { plan, checkpoint, retrier, context: { signal } }: RestoreRun,
  index: number,
  feed: RowFeed,
  { lenient, onProgress }: { lenient: boolean; onProgress: () => void },
): Promise<void> {
  const name = `${checkpoint.data.prefix}s${randomBytes(4).toString('hex')}`;
  await rows.create(name, { signal });
  const part = feed.take({ rows: table_rows, bytes: TABLE_BYTES }, onProgress);
  await rows.load(name, plan.into.id, part.bytes, { signal, max_memory, lenient });
  const counted = await rows.count(name, { signal });
  if (counted !== part.rows()) {
    throw new BifractError('COUNT_DIFFERS', `ClickHouse counts ${counted} of the ${part.rows()} rows sent`, {
      hint: 'Nothing was restored. Try again; if it fails again, check the ClickHouse log.',
    });
  }
  await checkpoint.save({ tables: [...checkpoint.data.tables, { name, file: index, rows: counted }] });
  retrier.progressed();
}

function report(
  { plan, checkpoint, lock, progress }: RestoreRun,
  index: number,
  { totals }: RestoreLines,
  read: () => number,
): () => void {
  const { name } = plan.files[index] as ArchiveRestoreFile;
  const before = checkpoint.data.files.reduce((sum, { rows }) => sum + rows, 0);
  const bytes = plan.content_bytes / Math.max(1, plan.files.length);
  return () => {
    lock.report(totals.in_range);
    progress.report(name, before + totals.in_range, Math.round(index * bytes) + read());
  };
}

export function assertUnchanged({ object }: Target, file: ArchiveRestoreFile): void {
  if (object.size_bytes === file.size_bytes) return;
  throw new BifractError('BUSY', `${file.path} has changed since the restore was planned: its size differs`, {
    hint: 'Plan the restore again.',
  });
}

function skippedLinesMessage(
  { name }: ArchiveRestoreFile,
  { malformed, examples }: RestoreLines['totals'],
): string {
  const ellipsis = malformed > examples.length ? ', …' : '';
  const lines = malformed === 1 ? '1 line is not a valid row' : `${malformed} lines are not valid rows`;
  return `${name}: skipped ${lines} (${examples.join(', ')}${ellipsis})`;
}
