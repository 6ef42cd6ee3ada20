import { BifractError } from '../../contract/errors.ts';
import { archiveBytes, type ContentSummary, RestoreLineEncoder, readContent } from '../../format/index.ts';
import { rangeOf } from '../../policy/row-range.ts';
import type { Target } from '../files/target.ts';
import { compareWithRecord } from '../inspect/compare-record.ts';
import type { RestoreCheckpoint } from './checkpoint.ts';
import type { ArchiveRestoreFile } from './contract.ts';
import { findPlanned, type RestoreRun } from './run.ts';
import { createTable, dropTables } from './tables.ts';

/** Loads the rows of all files into staging tables. What an earlier run staged is kept. */
export async function stage(run: RestoreRun): Promise<void> {
  const { plan, checkpoint, lock, retrier, rows, context } = run;
  const { signal, emit } = context;
  if (checkpoint.resumed) await retrier.through(() => checkStagedTables(run), signal);
  if (plan.replace && checkpoint.data.cutoff_ms === null) {
    const cutoff_ms = await retrier.through(() => rows.clock({ signal }), signal);
    await checkpoint.save({ cutoff_ms });
  }
  emit('job:phase', { phase: 'Staging rows of the archive' });
  for (const [index, file] of plan.files.entries()) {
    await lock.acquire(file.archive_id);
    const staged = checkpoint.data.files[index];
    if (staged) lock.report(staged.rows);
    else await stageFile(run, index);
  }
}

/** Drops incomplete tables. If staged rows were lost, for example in a power failure, all are staged again. */
async function checkStagedTables({ rows, checkpoint, context: { signal } }: RestoreRun): Promise<void> {
  await dropTables(rows, checkpoint.data, { keep: true }, signal);
  const existing = new Set(await rows.tables(checkpoint.data.prefix, { signal }));
  for (const { name, rows: expected } of checkpoint.data.tables) {
    if (existing.has(name) && (await rows.count(name, { signal })) === expected) continue;
    await dropTables(rows, checkpoint.data, { keep: false }, signal);
    return checkpoint.save({ tables: [], files: [] });
  }
}

/** Stages a file with retries, which continue after its complete tables. */
async function stageFile(run: RestoreRun, index: number): Promise<void> {
  const { retrier, checkpoint, context } = run;
  let lenient = false;
  for (;;) {
    const before = stagedRows(checkpoint, index);
    try {
      return await stagePass(run, index, lenient);
    } catch (error) {
      // Only the slower reader accepts fields that are not text; the next table tries the fast one again.
      const rejected = error instanceof BifractError && error.code === 'QUERY_FAILED' && !error.transient;
      if (rejected && !(lenient && stagedRows(checkpoint, index) === before)) lenient = true;
      else await retrier.wait(error, context.signal);
    }
  }
}

function stagedRows({ data }: RestoreCheckpoint, index: number): number {
  return data.tables.filter(({ file }) => file === index).reduce((sum, { rows }) => sum + rows, 0);
}

/** Reads the file completely: only a file that is intact and matches its record is staged. */
async function stagePass(run: RestoreRun, index: number, lenient: boolean): Promise<void> {
  const { services, plan, checkpoint, context } = run;
  const { signal } = context;
  const file = plan.files[index] as ArchiveRestoreFile;
  const target = await findPlanned(run, file);
  const bytes = target.storage.stream(target.object.name, { signal });
  const content = readContent(bytes, { keys: await services.keys(), signal });
  const lines = new RestoreLineEncoder(rangeOf(plan), stagedRows(checkpoint, index));
  const feed = new RowFeed(archiveBytes(content), lines);
  const onBlock = reportsOf(run, index, lines, () => content.progress().bytes_out);
  try {
    let slowReader = lenient;
    while (await feed.hasMore()) {
      await fillTable(run, index, feed, { lenient: slowReader, onBlock });
      slowReader = false;
    }
  } finally {
    await feed.close();
  }
  const { totals } = lines;
  assertMatchesRecord(target, content.summary(), totals);
  await checkpoint.save({
    files: [...checkpoint.data.files, { rows: totals.in_range, left_out: totals.malformed }],
  });
  if (totals.malformed > 0) context.emit('job:warning', { message: skippedLinesMessage(file, totals) });
}

/** A table is complete once ClickHouse counts as many rows in it as were sent; an incomplete one is never used. */
async function fillTable(
  run: RestoreRun,
  index: number,
  feed: RowFeed,
  { lenient, onBlock }: { lenient: boolean; onBlock: () => void },
): Promise<void> {
  const { rows, plan, checkpoint, retrier, limits, services } = run;
  const { signal } = run.context;
  const { max_memory } = services.archive_limits;
  const name = await createTable(run, 'staged');
  const part = feed.take(limits.table, onBlock);
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

function reportsOf(
  { plan, checkpoint, lock, progress }: RestoreRun,
  index: number,
  { totals }: RestoreLineEncoder,
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

function assertMatchesRecord(
  { record }: Target,
  { size_bytes, checksum, sealed, head }: ContentSummary,
  { rows, malformed, first, last }: RestoreLineEncoder['totals'],
): void {
  if (record?.status !== 'completed' && record?.status !== 'restoring') return;
  const fractal_id = head?.fractal?.id ?? null;
  compareWithRecord(record, {
    size_bytes,
    checksum,
    rows: rows + malformed,
    first,
    last,
    fractal_id,
    sealed,
  });
}

function skippedLinesMessage(
  { name }: ArchiveRestoreFile,
  { malformed, examples }: RestoreLineEncoder['totals'],
): string {
  const ellipsis = malformed > examples.length ? ', …' : '';
  const lines = malformed === 1 ? '1 line is not a valid row' : `${malformed} lines are not valid rows`;
  return `${name}: skipped ${lines} (${examples.join(', ')}${ellipsis})`;
}

/** Part of the rows, as it is sent. */
interface RowPart {
  bytes: AsyncGenerator<Buffer>;
  /** Rows returned so far. */
  rows(): number;
}

/** The selected rows of a file, returned in parts. `close` closes the source. */
class RowFeed {
  readonly #source: AsyncIterator<Buffer>;
  readonly #lines: RestoreLineEncoder;
  #next: { pieces: Buffer[]; rows: number } | undefined;
  #done = false;

  /** `blocks` must contain complete lines. */
  constructor(blocks: AsyncIterable<Buffer>, lines: RestoreLineEncoder) {
    this.#source = blocks[Symbol.asyncIterator]();
    this.#lines = lines;
  }

  /** Whether there is another row; reads until that is known. */
  async hasMore(): Promise<boolean> {
    while (this.#next === undefined && !this.#done) {
      const { done, value } = await this.#source.next();
      if (done) this.#done = true;
      else {
        const block = this.#lines.take(value);
        if (block.rows > 0) this.#next = block;
      }
    }
    return this.#next !== undefined;
  }

  /**
   * Rows up to about a limit; `onBlock` is called after each block. If a part is not read to its end, the rest of it
   * is lost.
   */
  take(limit: { rows: number; bytes: number }, onBlock: () => void): RowPart {
    let [rows, bytes] = [0, 0];
    const feed = this;
    const part = async function* () {
      while (rows < limit.rows && bytes < limit.bytes && (await feed.hasMore())) {
        const block = feed.#next as { pieces: Buffer[]; rows: number };
        feed.#next = undefined;
        rows += block.rows;
        for (const piece of block.pieces) {
          bytes += piece.length;
          yield piece;
        }
        onBlock();
      }
    };
    return { bytes: part(), rows: () => rows };
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}
