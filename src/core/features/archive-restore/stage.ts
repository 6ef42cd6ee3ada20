import { BifractError } from '../../contract/errors.ts';
import { RestoreLineEncoder } from '../../format/index.ts';
import { areWithin } from '../../policy/row-digests.ts';
import { rangeOf } from '../../policy/row-range.ts';
import type { ComparedRows, RestoreCheckpoint } from './checkpoint.ts';
import {
  type ComparedFile,
  compareDigests,
  digestFiles,
  type FileDigests,
  isWorthComparing,
} from './compare.ts';
import { openPlanned, warnAboutSkippedLines } from './planned-file.ts';
import type { RestoreRun } from './run.ts';
import { createTable, dropTables } from './tables.ts';

type Totals = Pick<ComparedFile, 'in_range' | 'malformed' | 'examples'>;

/**
 * Loads the rows of all files into staging tables, except those of minutes in which the target has them all. What an earlier
 * run staged is kept.
 */
export async function stage(run: RestoreRun): Promise<void> {
  const { plan, checkpoint, retrier, rows, context } = run;
  const { signal } = context;
  if (checkpoint.resumed) await retrier.through(() => checkStagedTables(run), signal);
  if (plan.replace && checkpoint.data.cutoff_ms === null) {
    const cutoff_ms = await retrier.through(() => rows.clock({ signal }), signal);
    await checkpoint.save({ cutoff_ms });
  }
  const digests = await chooseRows(run);
  await stageFiles(run, digests);
  // While rows were staged, others may have been deleted that are counted as existing.
  if (digests && checkpoint.data.tables.length > 0 && !(await isStillComplete(run, digests))) {
    await startAgain(run, null);
    await stageFiles(run);
  }
}

/**
 * Decides which rows to stage: all, or only those in time ranges in which the target differs from the files. Nothing is
 * decided again if rows were staged already, unless others have become different since.
 */
async function chooseRows(run: RestoreRun): Promise<FileDigests | undefined> {
  const { plan, checkpoint } = run;
  const { phase, tables, files, compared } = checkpoint.data;
  const begun = tables.length + files.length > 0;
  if (phase !== 'staging' || (begun && !compared)) return undefined;
  const digests = isWorthComparing(plan) ? await digestFiles(run) : undefined;
  if (!digests) await startAgain(run, null);
  else if (!begun || !(await isStillComplete(run, digests)))
    await startAgain(run, await compareDigests(run, digests));
  return digests;
}

/** Whether the target has all rows that were not chosen. */
async function isStillComplete(run: RestoreRun, digests: FileDigests): Promise<boolean> {
  return areWithin(
    (await compareDigests(run, digests)).differing,
    run.checkpoint.data.compared?.differing ?? [],
  );
}

/** Drops what was staged. From now on, only rows that differ are staged; null: all. */
async function startAgain(run: RestoreRun, compared: ComparedRows | null): Promise<void> {
  const { rows, checkpoint, retrier, context } = run;
  const { signal } = context;
  await retrier.through(() => dropTables(rows, checkpoint.data, { keep: false }, signal), signal);
  await checkpoint.save({ tables: [], files: [], compared });
}

async function stageFiles(run: RestoreRun, digests?: FileDigests): Promise<void> {
  const { plan, checkpoint, lock, progress, context } = run;
  if (checkpoint.data.compared?.differing.length !== 0) {
    context.emit('job:phase', { phase: 'Staging rows of the archive' });
    progress.restart();
  }
  for (const [index, file] of plan.files.entries()) {
    const staged = checkpoint.data.files[index];
    const compared = digests?.files[index];
    if (!staged && compared && !hasDifferences(run, compared)) {
      await endFile(run, index, compared);
      continue;
    }
    await lock.acquire(file.archive_id);
    if (staged) lock.report(staged.rows);
    else await stageFile(run, index, compared);
  }
}

function hasDifferences({ checkpoint }: RestoreRun, { within }: ComparedFile): boolean {
  const ranges = checkpoint.data.compared?.differing;
  return !ranges || ranges.some(({ from_ms, to_ms }) => from_ms < within.to_ms && to_ms > within.from_ms);
}

async function endFile(run: RestoreRun, index: number, totals: Totals): Promise<void> {
  const { checkpoint } = run;
  const { in_range: rows, malformed: left_out } = totals;
  await checkpoint.save({ files: [...checkpoint.data.files, { rows, left_out }] });
  warnAboutSkippedLines(run, index, totals);
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
async function stageFile(run: RestoreRun, index: number, compared?: ComparedFile): Promise<void> {
  const { retrier, checkpoint, context } = run;
  let lenient = false;
  for (;;) {
    const before = stagedRows(checkpoint, index);
    try {
      return await stagePass(run, index, { lenient, compared });
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
async function stagePass(
  run: RestoreRun,
  index: number,
  { lenient, compared }: { lenient: boolean; compared: ComparedFile | undefined },
): Promise<void> {
  const { plan, checkpoint } = run;
  const file = await openPlanned(run, index);
  const only = checkpoint.data.compared?.differing;
  const lines = new RestoreLineEncoder(rangeOf(plan), stagedRows(checkpoint, index), only);
  const feed = new RowFeed(file.lines, lines);
  const onBlock = () => file.report(lines.totals.in_range);
  try {
    let slowReader = lenient;
    while (await feed.hasMore()) {
      await fillTable(run, index, feed, { lenient: slowReader, onBlock });
      slowReader = false;
    }
  } finally {
    await feed.close();
  }
  const { checksum } = file.finish(lines.totals);
  if (compared && compared.checksum !== checksum) throw changedSinceCompared(plan.files[index]?.path);
  await endFile(run, index, lines.totals);
}

function changedSinceCompared(path = ''): BifractError {
  return new BifractError('BUSY', `${path} has changed since it was compared with the logs`, {
    hint: 'Nothing was restored. Plan the restore again.',
  });
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
  const { max_memory, parallel } = services.archive_limits;
  const name = await createTable(run, 'staged');
  const part = feed.take(limits.table, onBlock);
  await rows.load(name, plan.into.id, part.bytes, {
    ...{ signal, max_memory, lenient, parallel: plan.parallel ?? parallel },
    onText: (reason) =>
      run.context.emit('job:warning', { message: `Rows are sent as text, which takes longer: ${reason}` }),
  });
  const counted = await rows.count(name, { signal });
  if (counted !== part.rows()) {
    throw new BifractError('COUNT_DIFFERS', `ClickHouse counts ${counted} of the ${part.rows()} rows sent`, {
      hint: 'Nothing was restored. Try again; if it fails again, check the ClickHouse log.',
    });
  }
  await checkpoint.save({ tables: [...checkpoint.data.tables, { name, file: index, rows: counted }] });
  retrier.progressed();
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
