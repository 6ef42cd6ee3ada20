import { randomBytes } from 'node:crypto';
import type { ContentSummary, DigestTotals, RowRange } from '../../format/index.ts';
import { differingRanges, emptyDigests, mergeDigests, type RowDigests } from '../../policy/row-digests.ts';
import { rangeOf } from '../../policy/row-range.ts';
import { digestLines } from '../inspect/row-check-worker.ts';
import type { ComparedRows } from './checkpoint.ts';
import type { ArchiveRestorePlan } from './contract.ts';
import { openPlanned } from './planned-file.ts';
import type { RestoreRun } from './run.ts';

const SALT_BYTES = 16;
/**
 * From that part of rows that may exist, reading the files twice pays off: it takes a quarter of what staging takes, and
 * staged rows of minutes that have others are copied once more.
 */
const WORTH_COMPARING = 0.1;

/** What was found in a file. */
export interface ComparedFile extends Pick<DigestTotals, 'in_range' | 'malformed' | 'examples'> {
  checksum: ContentSummary['checksum'];
  /** Time range of its rows. */
  within: RowRange;
}

/** The rows of all files, to be compared with those of the target. */
export interface FileDigests {
  files: ComparedFile[];
  digests: RowDigests;
  salt: Uint8Array;
}

/** Whether enough rows of the target may be those of the files. */
export function isWorthComparing({ replace, creates, rows, rows_there }: ArchiveRestorePlan): boolean {
  return !replace && !creates && rows_there > 0 && rows_there >= rows * WORTH_COMPARING;
}

/** Reads and digests all files. Undefined if the rows cannot be compared by digests. */
export async function digestFiles(run: RestoreRun): Promise<FileDigests | undefined> {
  const { plan, rows, lock, retrier, context } = run;
  const { signal, emit } = context;
  const identity = await retrier.through(() => rows.rowIdentity({ signal }), signal);
  if (!identity) return undefined;
  emit('job:phase', { phase: 'Comparing the archive with the logs' });
  const all: FileDigests = { files: [], digests: emptyDigests(), salt: randomBytes(SALT_BYTES) };
  for (const [index, file] of plan.files.entries()) {
    await lock.acquire(file.archive_id);
    const options = { range: rangeOf(plan), salt: all.salt, line: identity.line };
    const digested = await retrier.through(() => digestFile(run, index, options), signal);
    retrier.progressed();
    all.files.push(digested.file);
    mergeDigests(all.digests, digested.digests);
  }
  return all.digests.exact ? all : undefined;
}

async function digestFile(
  run: RestoreRun,
  index: number,
  options: Parameters<typeof digestLines>[2],
): Promise<{ file: ComparedFile; digests: RowDigests }> {
  const file = await openPlanned(run, index);
  const totals = await digestLines(file.lines, file.size_bytes, options, file.report);
  file.report(totals.in_range);
  const { checksum } = file.finish(totals);
  const { digests, in_range, malformed, examples } = totals;
  return { file: { in_range, malformed, examples, checksum, within: bucketsOf(digests) }, digests };
}

/** Compares the rows of the files with those that the target has at this moment. */
export async function compareDigests(run: RestoreRun, { digests, salt }: FileDigests): Promise<ComparedRows> {
  const { plan, rows, services, retrier, context } = run;
  if (digests.buckets.size === 0) return { within: null, differing: [] };
  const within = comparedRange(plan, digests);
  const query = { fractal_id: plan.into.id, ...within, bucket_ms: digests.bucket_ms, salt };
  const options = { signal: context.signal, max_memory: services.archive_limits.max_memory };
  const there = await retrier.through(() => rows.digests(query, options), context.signal);
  return { within, differing: differingRanges(digests, there) };
}

function comparedRange(plan: ArchiveRestorePlan, digests: RowDigests): RowRange {
  const { from_ms, to_ms } = bucketsOf(digests);
  const range = rangeOf(plan) ?? { from_ms, to_ms };
  return { from_ms: Math.max(from_ms, range.from_ms), to_ms: Math.min(to_ms, range.to_ms) };
}

function bucketsOf({ first_ms, last_ms, bucket_ms }: RowDigests): RowRange {
  const start = (ms: number) => Math.floor(ms / bucket_ms) * bucket_ms;
  return { from_ms: start(first_ms), to_ms: start(last_ms) + bucket_ms };
}
