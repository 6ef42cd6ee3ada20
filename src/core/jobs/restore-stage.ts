import { randomBytes } from 'node:crypto';
import type { ArchiveRestoreFile, ArchiveRestorePlan } from '../archive-restore.ts';
import { BifractError } from '../errors.ts';
import { archiveBytes, type Key, RestoreLines, readContent } from '../format/index.ts';
import { rangeOf } from '../policy/row-range.ts';
import type { LogRestore } from '../ports/log-restore.ts';
import { compareWithRecord } from './compare-record.ts';
import type { JobContext } from './context.ts';
import type { Patience } from './patience.ts';
import type { RestoreJournal } from './restore-journal.ts';
import type { RestoreMarkHolder } from './restore-mark.ts';
import { RowFeed } from './row-feed.ts';
import type { Target } from './target.ts';

/** Rows of one staged table, and their bytes: what is lost where the connection breaks. */
const TABLE_ROWS = 4_000_000;
const TABLE_BYTES = 1024 ** 3;

export interface StageDeps {
  rows: LogRestore;
  keys: readonly Key[];
  /** The very file of a plan. */
  find(file: ArchiveRestoreFile): Promise<Target>;
  /** Memory ceiling of one statement, bytes. */
  max_memory: number;
  /** Rows of a staged table; for tests. */
  table_rows?: number;
}

/** What all parts of one restore share. */
export interface RestoreRun {
  plan: ArchiveRestorePlan;
  journal: RestoreJournal;
  mark: RestoreMarkHolder;
  patience: Patience;
  context: JobContext;
  progress: RestoreProgress;
}

/** Counts that only grow, whatever is read again. */
export class RestoreProgress {
  readonly #plan: ArchiveRestorePlan;
  readonly #emit: JobContext['emit'];
  #rows = 0;
  #bytes = 0;
  #told = Number.NEGATIVE_INFINITY;

  constructor(plan: ArchiveRestorePlan, emit: JobContext['emit']) {
    this.#plan = plan;
    this.#emit = emit;
  }

  tell(item: string, rows: number, bytes_in: number): void {
    this.#rows = Math.max(this.#rows, rows);
    this.#bytes = Math.max(this.#bytes, bytes_in);
    if (performance.now() - this.#told < 100) return;
    this.#told = performance.now();
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
 * Writes the wanted rows of a file into tables beside the logs, and reads it to its end: only a file that proves whole, and is what
 * its record says, is staged. What an earlier run has staged of it is passed over.
 */
export async function stageFile(deps: StageDeps, run: RestoreRun, index: number): Promise<void> {
  const { patience, context } = run;
  let lenient = false;
  for (;;) {
    const before = stagedRows(run.journal, index);
    try {
      return await pass(deps, run, index, lenient);
    } catch (error) {
      // Fields that are no text are taken by the slower reader only; the next table is tried with the fast one again.
      const refused = error instanceof BifractError && error.code === 'QUERY_FAILED' && !error.transient;
      if (refused && !(lenient && stagedRows(run.journal, index) === before)) lenient = true;
      else await patience.wait(error, context.signal);
    }
  }
}

export function stagedRows({ entry }: RestoreJournal, index: number): number {
  return entry.tables.filter(({ file }) => file === index).reduce((sum, { rows }) => sum + rows, 0);
}

async function pass(deps: StageDeps, run: RestoreRun, index: number, lenient: boolean): Promise<void> {
  const { plan, journal, context } = run;
  const file = plan.files[index] as ArchiveRestoreFile;
  const target = await deps.find(file);
  mustBePlanned(target, file);
  const { signal } = context;
  const content = readContent(target.storage.stream(target.object.name, { signal }), {
    keys: deps.keys,
    signal,
  });
  const lines = new RestoreLines(rangeOf(plan), stagedRows(journal, index));
  const feed = new RowFeed(archiveBytes(content), lines);
  const told = tell(run, index, lines, () => content.progress().bytes_out);
  try {
    let careful = lenient;
    while (await feed.more()) {
      await fillTable(deps, run, index, feed, { lenient: careful, told });
      careful = false;
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
  await journal.save({
    files: [...journal.entry.files, { rows: totals.wanted, left_out: totals.malformed }],
  });
  if (totals.malformed > 0) context.emit('job:warning', { message: leftOut(file, totals) });
}

/** A table is complete once ClickHouse counts in it what was sent; one that is not is never looked at again. */
async function fillTable(
  { rows, max_memory, table_rows = TABLE_ROWS }: StageDeps,
  { plan, journal, patience, context: { signal } }: RestoreRun,
  index: number,
  feed: RowFeed,
  { lenient, told }: { lenient: boolean; told: () => void },
): Promise<void> {
  const name = `${journal.entry.prefix}s${randomBytes(4).toString('hex')}`;
  await rows.create(name, { signal });
  const part = feed.take({ rows: table_rows, bytes: TABLE_BYTES }, told);
  await rows.load(name, plan.into.id, part.bytes, { signal, max_memory, lenient });
  const counted = await rows.count(name, { signal });
  if (counted !== part.rows()) {
    throw new BifractError('COUNT_DIFFERS', `ClickHouse took ${counted} rows of the ${part.rows()} sent`, {
      hint: 'Nothing was restored. Try again; if it happens again, check the log of ClickHouse.',
    });
  }
  await journal.save({ tables: [...journal.entry.tables, { name, file: index, rows: counted }] });
  patience.progressed();
}

function tell(
  { plan, journal, mark, progress }: RestoreRun,
  index: number,
  { totals }: RestoreLines,
  read: () => number,
): () => void {
  const { name } = plan.files[index] as ArchiveRestoreFile;
  const before = journal.entry.files.reduce((sum, { rows }) => sum + rows, 0);
  const bytes = plan.content_bytes / Math.max(1, plan.files.length);
  return () => {
    mark.tell(totals.wanted);
    progress.tell(name, before + totals.wanted, Math.round(index * bytes) + read());
  };
}

/** A file that was written anew since it was planned with is another one. */
export function mustBePlanned({ object }: Target, file: ArchiveRestoreFile): void {
  if (object.size_bytes === file.size_bytes) return;
  throw new BifractError('BUSY', `${file.path} is not the file that was planned with: its size differs`, {
    hint: 'Something has written it anew. Plan the restore again.',
  });
}

function leftOut({ name }: ArchiveRestoreFile, { malformed, examples }: RestoreLines['totals']): string {
  const some = malformed > examples.length ? ', …' : '';
  const lines = malformed === 1 ? '1 line is no row and was' : `${malformed} lines are no rows and were`;
  return `${name}: ${lines} left out (${examples.join(', ')}${some})`;
}
