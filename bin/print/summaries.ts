import type { PruneSummary } from '../../src/core/features/backup/prune.ts';
import type { CopySummary } from '../../src/core/features/copy/copy.ts';
import type { DeleteSummary } from '../../src/core/features/delete/delete.ts';
import type { VerifySummary } from '../../src/core/features/inspect/verify.ts';
import type { RotateSummary } from '../../src/core/features/keys/rotate.ts';
import type { AdoptSummary } from '../../src/core/features/orphans/adopt.ts';
import type { RestoreSummary } from '../../src/core/features/restore/contract.ts';
import type { ArchiveRestoreSummary, JobKind, RunDueSummary } from '../../src/core/index.ts';
import { archiveRestoreLines } from './archive-restore.ts';
import { copySummaryLines } from './copy.ts';
import { deleteSummaryLines } from './deletion.ts';
import { adoptSummaryLines } from './orphans.ts';
import { restoreLines } from './restore.ts';
import { resultLines } from './results.ts';
import { runDueLines } from './schedule.ts';
import { pruneSummaryLines, rotateSummaryLines } from './upkeep.ts';
import { verifySummaryLines } from './verify.ts';

type Result = Record<string, unknown>;

/** The result of each kind of job, for people. */
const FORMATTERS: Partial<Record<JobKind, (result: Result) => string[]>> = {
  backup: (result) => resultLines('backup', result),
  archive: (result) => resultLines('archive', result),
  verify: (result) => verifySummaryLines(result as unknown as VerifySummary),
  adopt: (result) => adoptSummaryLines(result as unknown as AdoptSummary),
  restore: (result) => restoreLines('restore', result as unknown as RestoreSummary),
  drill: (result) => restoreLines('drill', result as unknown as RestoreSummary),
  'restore-archive': (result) => archiveRestoreLines(result as unknown as ArchiveRestoreSummary),
  prune: (result) => pruneSummaryLines(result as unknown as PruneSummary),
  'rotate-key': (result) => rotateSummaryLines(result as unknown as RotateSummary),
  delete: (result) => deleteSummaryLines(result as unknown as DeleteSummary),
  'run-due': (result) => runDueLines(result as unknown as RunDueSummary),
  copy: (result) => copySummaryLines(result as unknown as CopySummary),
};

/** The result of a job, for people; raw JSON if another version of this program wrote it. */
export function summaryLines(kind: JobKind | undefined, result: Result): string[] {
  try {
    return (kind && FORMATTERS[kind]?.(result)) || ['Done.'];
  } catch {
    return [`Done: ${JSON.stringify(result)}`];
  }
}
