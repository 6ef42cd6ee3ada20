import { setTimeout as wait } from 'node:timers/promises';
import { asBifractError, BifractError } from '../../contract/errors.ts';
import { archiveBytes, readContent } from '../../format/index.ts';
import type { JobContext } from '../../job/context.ts';
import { Retrier, type RetryOptions } from '../../job/retry.ts';
import { rangeOf } from '../../policy/row-range.ts';
import type { Catalog } from '../../ports/catalog.ts';
import type { Ingest } from '../../ports/ingest.ts';
import type { Key } from '../../ports/key.ts';
import type { State } from '../../ports/state.ts';
import type { Target } from '../files/target.ts';
import { verifyFile } from '../inspect/verify-file.ts';
import { RestoreCheckpoint } from './checkpoint.ts';
import type { ArchiveRestoreFile, ArchiveRestorePlan, ArchiveRestoreSummary } from './contract.ts';
import { assertNoOtherRestore } from './direct.ts';
import { type BatchLimits, type LineBatch, rawBatches, type SkippedLines } from './ingest-batches.ts';
import { RestoreRecordLock } from './record-lock.ts';
import { assertUnchanged, RestoreProgress, type RestoreRun } from './staging.ts';

const LIMITS: BatchLimits = { rows: 5000, bytes: 1024 * 1024 };
const BUSY_FIRST_MS = 1000;
const BUSY_LONGEST_MS = 30_000;

export interface IngestDeps {
  catalog: Catalog;
  state: State;
  keys: readonly Key[];
  find(file: ArchiveRestoreFile): Promise<Target>;
  ingest: Ingest;
  retry: RetryOptions;
  /** For tests. */
  limits?: BatchLimits;
}

interface Tally extends SkippedLines {
  sent: number;
  /** Rows that may be duplicated because a response was lost. */
  maybe_duplicated: number;
}

/**
 * Sends the log lines of archives through the server's ingest, which parses them again. Each file is verified before
 * its first line is sent. Accepted rows are recorded, so that a later run continues after them. A batch whose
 * response was lost is sent again, with a warning: duplicates are better than lost rows.
 */
export async function restoreByIngest(
  deps: IngestDeps,
  plan: ArchiveRestorePlan,
  context: JobContext,
): Promise<ArchiveRestoreSummary> {
  const started = performance.now();
  const { signal } = context;
  const checkpoint = await RestoreCheckpoint.open(deps.state, plan, context);
  const retrier = new Retrier(deps.retry, context);
  const lock = new RestoreRecordLock(deps.catalog, checkpoint, retrier, context);
  const run = { plan, checkpoint, lock, retrier, context, progress: new RestoreProgress(plan, context.emit) };
  // Separate from the other: an answer from storage or database does not mean that the server is up.
  const server = new Retrier(deps.retry, context);
  const tally: Tally = { sent: 0, maybe_duplicated: 0, newlines: 0, empty: 0 };
  try {
    await assertNoOtherRestore(deps.state, plan, context.id);
    const token = await retrier.through(() => tokenOf(deps.catalog, plan, signal), signal);
    for (const [index, file] of plan.files.entries()) {
      await lock.acquire(file.archive_id);
      if (index < (checkpoint.data.sent?.file ?? 0)) continue;
      await sendFile(deps, run, { index, token, server }, tally);
    }
    await lock.release(undefined);
    await checkpoint.remove();
    warn(tally, context);
    return summaryOf(run, tally, Math.round(performance.now() - started));
  } catch (error) {
    const released = await lock.release(signal.aborted ? signal.reason : error);
    // Accepted lines cannot be taken back: the same call resumes after them.
    if (checkpoint.data.sent === null && released) await checkpoint.remove();
    else await checkpoint.save({ left: true });
    throw error;
  }
}

async function tokenOf(catalog: Catalog, { into }: ArchiveRestorePlan, signal: AbortSignal): Promise<string> {
  const token = await catalog.ingestToken(into.id, { signal });
  if (token !== null) return token;
  throw new BifractError('NOT_FOUND', `Fractal ${into.name} has no active ingest token`, {
    hint: 'Create one in Bifract, or restore directly.',
  });
}

async function sendFile(
  deps: IngestDeps,
  run: RestoreRun,
  { index, token, server }: { index: number; token: string; server: Retrier },
  tally: Tally,
): Promise<void> {
  const { plan, checkpoint, lock, context, progress } = run;
  const { signal, emit } = context;
  const file = plan.files[index] as ArchiveRestoreFile;
  const target = await deps.find(file);
  assertUnchanged(target, file);
  emit('job:phase', { phase: `Verifying ${file.name}` });
  await verifyContent(target, deps.keys, signal);
  emit('job:phase', { phase: `Sending ${file.name} to ${deps.ingest.location}` });
  const resumed = checkpoint.data.sent?.file === index ? checkpoint.data.sent : null;
  if (resumed?.batch) tally.maybe_duplicated += resumed.batch.rows;
  let accepted = resumed?.rows ?? 0;
  const content = readContent(target.storage.stream(target.object.name, { signal }), {
    keys: deps.keys,
    signal,
  });
  const options = { range: rangeOf(plan), from: accepted, limits: deps.limits ?? LIMITS };
  for await (const batch of rawBatches(archiveBytes(content), options, tally)) {
    const inFlight = { rows: batch.rows, since_ms: context.now().getTime() };
    await checkpoint.save({ sent: { file: index, rows: accepted, batch: inFlight } });
    await sendBatch(deps.ingest, { server, context }, token, batch, tally);
    accepted = batch.end;
    tally.sent += batch.rows;
    lock.report(accepted);
    progress.report(file.name, tally.sent, content.progress().bytes_out);
  }
  await checkpoint.save({ sent: { file: index + 1, rows: 0, batch: null } });
}

/** Detects damage before the first line is sent. */
async function verifyContent(target: Target, keys: readonly Key[], signal: AbortSignal): Promise<void> {
  const { error } = await verifyFile(target, { keys, quick: false, signal });
  if (error) throw new BifractError(error.code, error.message, { hint: error.hint });
}

async function sendBatch(
  ingest: Ingest,
  { server, context: { signal, emit } }: { server: Retrier; context: JobContext },
  token: string,
  batch: LineBatch,
  tally: Tally,
): Promise<void> {
  for (let refusals = 0; ; ) {
    try {
      const response = await ingest.send(token, batch.lines, { signal });
      if (response.outcome === 'accepted') return server.progressed();
      if (response.outcome === 'refused' && response.busy) {
        // Not an error: the server sets the pace.
        server.progressed();
        const wait_ms = response.wait_ms ?? Math.min(BUSY_LONGEST_MS, BUSY_FIRST_MS * 2 ** refusals);
        emit('job:retry', { attempt: ++refusals, wait_ms, reason: response.reason });
        await wait(wait_ms, undefined, { signal }).catch(() => signal.throwIfAborted());
        continue;
      }
      if (response.outcome === 'unknown') tally.maybe_duplicated += batch.rows;
      throw new BifractError('SERVER_UNREACHABLE', `Bifract server: ${response.reason}`, {
        transient: true,
      });
    } catch (error) {
      await server.wait(asBifractError(error), signal);
    }
  }
}

function warn({ newlines, empty, maybe_duplicated }: Tally, { emit }: JobContext): void {
  const messages = [
    newlines > 0 && `${newlines} rows skipped: their log lines contain newlines, which ingest would split`,
    empty > 0 && `${empty} rows skipped: their log lines are empty`,
    maybe_duplicated > 0 &&
      `Up to ${maybe_duplicated} rows may be duplicated: the response of the server was lost, and they were sent again`,
  ];
  for (const message of messages) if (message) emit('job:warning', { message });
}

function summaryOf(
  { plan }: RestoreRun,
  { sent, newlines, empty }: Tally,
  duration_ms: number,
): ArchiveRestoreSummary {
  return {
    into: plan.into,
    via: plan.via,
    files: plan.files.length,
    rows_read: sent + newlines + empty,
    rows_added: sent,
    rows_there: 0,
    rows_removed: 0,
    rows_left_out: newlines + empty,
    duration_ms,
  };
}
