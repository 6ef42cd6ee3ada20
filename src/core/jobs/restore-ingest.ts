import { setTimeout as wait } from 'node:timers/promises';
import type { ArchiveRestoreFile, ArchiveRestorePlan, ArchiveRestoreSummary } from '../archive-restore.ts';
import { asBifractError, BifractError } from '../errors.ts';
import { archiveBytes, type Key, readContent } from '../format/index.ts';
import { rangeOf } from '../policy/row-range.ts';
import type { Catalog } from '../ports/catalog.ts';
import type { Ingest } from '../ports/ingest.ts';
import type { State } from '../ports/state.ts';
import type { JobContext } from './context.ts';
import { Patience, type PatienceOptions } from './patience.ts';
import { type BatchLimits, type LeftOut, type LineBatch, rawBatches } from './raw-lines.ts';
import { mustBeAlone } from './restore-direct.ts';
import { RestoreJournal } from './restore-journal.ts';
import { RestoreMarkHolder } from './restore-mark.ts';
import { mustBePlanned, RestoreProgress, type RestoreRun } from './restore-stage.ts';
import type { Target } from './target.ts';
import { verifyFile } from './verify-file.ts';

const LIMITS: BatchLimits = { rows: 5000, bytes: 1024 * 1024 };
const BUSY_FIRST_MS = 1000;
const BUSY_LONGEST_MS = 30_000;

export interface IngestDeps {
  catalog: Catalog;
  state: State;
  keys: readonly Key[];
  find(file: ArchiveRestoreFile): Promise<Target>;
  ingest: Ingest;
  patience: PatienceOptions;
  /** For tests. */
  limits?: BatchLimits;
}

/** What is counted on the way. */
interface Tally extends LeftOut {
  sent: number;
  /** Rows that may have been taken twice, for an answer was lost. */
  unsure: number;
}

/**
 * Sends the log lines of archives through the server's ingest, which parses them anew. Each file is read to its end and
 * verified before its first line is sent. What the server has accepted is journalled, so that a later run goes on behind it; a
 * batch whose answer was lost is sent again, for losing rows is worse than having some twice, and that is told.
 */
export async function restoreByIngest(
  deps: IngestDeps,
  plan: ArchiveRestorePlan,
  context: JobContext,
): Promise<ArchiveRestoreSummary> {
  const started = performance.now();
  const { signal } = context;
  const journal = await RestoreJournal.open(deps.state, plan, context);
  const patience = new Patience(deps.patience, context);
  const mark = new RestoreMarkHolder(deps.catalog, journal, patience, context);
  const run = { plan, journal, mark, patience, context, progress: new RestoreProgress(plan, context.emit) };
  // Of its own: that files and the database answer says nothing of the server.
  const server = new Patience(deps.patience, context);
  const tally: Tally = { sent: 0, unsure: 0, newlines: 0, empty: 0 };
  try {
    await mustBeAlone(deps.state, plan, context.id);
    const token = await patience.through(() => tokenOf(deps.catalog, plan, signal), signal);
    for (const [index, file] of plan.files.entries()) {
      await mark.hold(file.archive_id);
      if (index < (journal.entry.sent?.file ?? 0)) continue;
      await sendFile(deps, run, { index, token, server }, tally);
    }
    await mark.release(undefined);
    await journal.forget();
    tell(tally, context);
    return summaryOf(run, tally, Math.round(performance.now() - started));
  } catch (error) {
    const released = await mark.release(signal.aborted ? signal.reason : error);
    // Lines that were accepted cannot be taken back: the same call goes on behind them.
    if (journal.entry.sent === null && released) await journal.forget();
    else await journal.save({ left: true });
    throw error;
  }
}

async function tokenOf(catalog: Catalog, { into }: ArchiveRestorePlan, signal: AbortSignal): Promise<string> {
  const token = await catalog.ingestToken(into.id, { signal });
  if (token !== null) return token;
  throw new BifractError('NOT_FOUND', `Fractal ${into.name} has no active ingest token`, {
    hint: 'Make one in Bifract, or restore directly.',
  });
}

async function sendFile(
  deps: IngestDeps,
  run: RestoreRun,
  { index, token, server }: { index: number; token: string; server: Patience },
  tally: Tally,
): Promise<void> {
  const { plan, journal, mark, context, progress } = run;
  const { signal, emit } = context;
  const file = plan.files[index] as ArchiveRestoreFile;
  const target = await deps.find(file);
  mustBePlanned(target, file);
  emit('job:phase', { phase: `Reading ${file.name} to its end` });
  await mustBeWhole(target, deps.keys, signal);
  emit('job:phase', { phase: `Sending the lines of ${file.name} to ${deps.ingest.location}` });
  const before = journal.entry.sent?.file === index ? journal.entry.sent : null;
  if (before?.batch) tally.unsure += before.batch.rows;
  let accepted = before?.rows ?? 0;
  const content = readContent(target.storage.stream(target.object.name, { signal }), {
    keys: deps.keys,
    signal,
  });
  const options = { range: rangeOf(plan), from: accepted, limits: deps.limits ?? LIMITS };
  for await (const batch of rawBatches(archiveBytes(content), options, tally)) {
    const on_its_way = { rows: batch.rows, since_ms: context.now().getTime() };
    await journal.save({ sent: { file: index, rows: accepted, batch: on_its_way } });
    await sendBatch(deps.ingest, { server, context }, token, batch, tally);
    accepted = batch.end;
    tally.sent += batch.rows;
    mark.tell(accepted);
    progress.tell(file.name, tally.sent, content.progress().bytes_out);
  }
  await journal.save({ sent: { file: index + 1, rows: 0, batch: null } });
}

/** Damage is found before the first line leaves. */
async function mustBeWhole(target: Target, keys: readonly Key[], signal: AbortSignal): Promise<void> {
  const { error } = await verifyFile(target, { keys, quick: false, signal });
  if (error) throw new BifractError(error.code, error.message, { hint: error.hint });
}

async function sendBatch(
  ingest: Ingest,
  { server, context: { signal, emit } }: { server: Patience; context: JobContext },
  token: string,
  batch: LineBatch,
  tally: Tally,
): Promise<void> {
  for (let busy = 0; ; ) {
    try {
      const answer = await ingest.send(token, batch.lines, { signal });
      if (answer.outcome === 'accepted') return server.progressed();
      if (answer.outcome === 'refused' && answer.busy) {
        // Not an error: the server sets the pace.
        server.progressed();
        const wait_ms = answer.wait_ms ?? Math.min(BUSY_LONGEST_MS, BUSY_FIRST_MS * 2 ** busy);
        emit('job:retry', { attempt: ++busy, wait_ms, reason: answer.reason });
        await wait(wait_ms, undefined, { signal }).catch(() => signal.throwIfAborted());
        continue;
      }
      if (answer.outcome === 'unknown') tally.unsure += batch.rows;
      throw new BifractError('SERVER_UNREACHABLE', `The Bifract server: ${answer.reason}`, {
        transient: true,
      });
    } catch (error) {
      await server.wait(asBifractError(error), signal);
    }
  }
}

function tell({ newlines, empty, unsure }: Tally, { emit }: JobContext): void {
  const told = [
    newlines > 0 &&
      `${newlines} rows were left out: their log lines have newlines in them, which ingest takes for several`,
    empty > 0 && `${empty} rows were left out: their log lines are empty`,
    unsure > 0 &&
      `Up to ${unsure} rows may be there twice: the answer to them was lost, and they were sent again`,
  ];
  for (const message of told) if (message) emit('job:warning', { message });
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
