import { archiveBytes, type ContentSummary, type RestoreTotals, readContent } from '../../format/index.ts';
import type { Target } from '../files/target.ts';
import { compareWithRecord } from '../inspect/compare-record.ts';
import type { ArchiveRestoreFile } from './contract.ts';
import { findPlanned, type RestoreRun } from './run.ts';

/** A file of the plan that is being read. */
export interface PlannedFile {
  /** Complete lines. */
  lines: AsyncGenerator<Buffer>;
  size_bytes: number;
  /** Reports the rows of the file so far. */
  report(rows: number): void;
  /** To be called once all lines were read: throws unless the file is intact and matches its record. */
  finish(totals: RestoreTotals): ContentSummary;
}

export async function openPlanned(run: RestoreRun, index: number): Promise<PlannedFile> {
  const { services, plan, lock, progress, context } = run;
  const { signal } = context;
  const file = plan.files[index] as ArchiveRestoreFile;
  const target = await findPlanned(run, file);
  const bytes = target.storage.stream(target.object.name, { signal });
  const content = readContent(bytes, { keys: await services.keys(), signal });
  const before = plan.files.slice(0, index).reduce((sum, { rows }) => sum + rows, 0);
  const bytes_before = Math.round((index * plan.content_bytes) / plan.files.length);
  return {
    lines: archiveBytes(content),
    size_bytes: file.size_bytes,
    report(rows) {
      lock.report(rows);
      progress.report(file.name, before + rows, bytes_before + content.progress().bytes_out);
    },
    finish(totals) {
      const summary = content.summary();
      assertMatchesRecord(target, summary, totals);
      return summary;
    },
  };
}

function assertMatchesRecord(
  { record }: Target,
  { size_bytes, checksum, sealed, head }: ContentSummary,
  { rows, malformed, first, last }: RestoreTotals,
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

/** Warns about the lines of a file that are not restored. */
export function warnAboutSkippedLines(
  { plan, context }: RestoreRun,
  index: number,
  { malformed, examples }: Pick<RestoreTotals, 'malformed' | 'examples'>,
): void {
  if (malformed === 0) return;
  const ellipsis = malformed > examples.length ? ', …' : '';
  const lines = malformed === 1 ? '1 line is not a valid row' : `${malformed} lines are not valid rows`;
  const message = `${plan.files[index]?.name}: skipped ${lines} (${examples.join(', ')}${ellipsis})`;
  context.emit('job:warning', { message });
}
