import { setTimeout as wait } from 'node:timers/promises';
import { asBifractError, BifractError } from '../../contract/errors.ts';
import {
  archiveBytes,
  parseLine,
  type RowRange,
  type RowText,
  readContent,
  rowText,
} from '../../format/index.ts';
import type { JobContext } from '../../job/context.ts';
import { Retrier } from '../../job/retry.ts';
import { rangeOf } from '../../policy/row-range.ts';
import type { Ingest } from '../../ports/ingest.ts';
import type { Key } from '../../ports/key.ts';
import { plural } from '../../text/units.ts';
import type { Target } from '../files/target.ts';
import { verifyFile } from '../inspect/verify-file.ts';
import type { ArchiveRestoreFile } from './contract.ts';
import { findPlanned, type RestoreLimits, type RestoreRun } from './run.ts';

const BUSY_FIRST_MS = 1000;
const BUSY_LONGEST_MS = 30_000;
const NEWLINE = 0x0a;

/** What was sent by this run. */
interface SentRows extends SkippedLines {
  rows: number;
  /** Rows that may be duplicated because a response was lost. */
  maybe_duplicated: number;
}

/** Rows that cannot be sent through ingest. */
interface SkippedLines {
  /** Log lines that contain newlines, and empty ones: ingest would turn them into several rows, or none. */
  newlines: number;
  empty: number;
  /** Rows without their original line, which are sent as the text of their fields. */
  without_line: number;
}

/** Log lines to send together. */
interface LineBatch {
  lines: Buffer;
  rows: number;
  /** Position after its last row in the file, skipped rows included. */
  end: number;
}

/** The server that lines are sent to. */
interface Server {
  ingest: Ingest;
  token: string;
  /** Separate from the run's: an answer from storage or database does not mean that the server is up. */
  retrier: Retrier;
}

/**
 * Sends the log lines of all files. Each file is verified before its first line is sent. Accepted rows are recorded, so
 * that a later run continues after them. A batch whose response was lost is sent again: duplicates are better than lost
 * rows.
 */
export async function sendFiles(run: RestoreRun): Promise<SentRows> {
  const { plan, checkpoint, lock, services } = run;
  const sent: SentRows = { rows: 0, maybe_duplicated: 0, newlines: 0, empty: 0, without_line: 0 };
  const ingest = await services.ingest();
  const token = await run.retrier.through(() => tokenOf(run), run.context.signal);
  const server = { ingest, token, retrier: new Retrier(run.retry, run.context) };
  for (const [index, file] of plan.files.entries()) {
    await lock.acquire(file.archive_id);
    if (index >= (checkpoint.data.sent?.file ?? 0)) await sendFile(run, index, server, sent);
  }
  return sent;
}

async function tokenOf({ services, plan: { into }, context: { signal } }: RestoreRun): Promise<string> {
  const token = await (await services.catalog()).ingestToken(into.id, { signal });
  if (token !== null) return token;
  throw new BifractError('NOT_FOUND', `Fractal ${into.name} has no active ingest token`, {
    hint: 'Create one in Bifract, or restore directly.',
  });
}

async function sendFile(run: RestoreRun, index: number, server: Server, sent: SentRows): Promise<void> {
  const { services, plan, checkpoint, lock, context, progress, limits } = run;
  const { signal, emit, now } = context;
  const file = plan.files[index] as ArchiveRestoreFile;
  const target = await findPlanned(run, file);
  const keys = await services.keys();
  emit('job:phase', { phase: `Verifying ${file.name}` });
  await verifyContent(target, keys, signal);
  emit('job:phase', { phase: `Sending ${file.name} to ${server.ingest.location}` });
  const resumed = checkpoint.data.sent?.file === index ? checkpoint.data.sent : null;
  if (resumed?.batch) sent.maybe_duplicated += resumed.batch.rows;
  let accepted = resumed?.rows ?? 0;
  const content = readContent(target.storage.stream(target.object.name, { signal }), { keys, signal });
  const options = { range: rangeOf(plan), from: accepted, limits: limits.batch };
  for await (const batch of lineBatches(archiveBytes(content), options, sent)) {
    const inFlight = { rows: batch.rows, since_ms: now().getTime() };
    await checkpoint.save({ sent: { file: index, rows: accepted, batch: inFlight } });
    await sendBatch(server, batch, sent, run);
    accepted = batch.end;
    sent.rows += batch.rows;
    lock.report(accepted);
    progress.report(file.name, sent.rows, content.progress().bytes_out);
  }
  await checkpoint.save({ sent: { file: index + 1, rows: 0, batch: null } });
}

/** Detects damage before the first line is sent. */
async function verifyContent(target: Target, keys: readonly Key[], signal: AbortSignal): Promise<void> {
  const { error } = await verifyFile(target, { keys, quick: false, signal });
  if (error) throw new BifractError(error.code, error.message, { hint: error.hint });
}

async function sendBatch(
  { ingest, token, retrier }: Server,
  batch: LineBatch,
  sent: SentRows,
  { context: { signal, emit } }: RestoreRun,
): Promise<void> {
  for (let refusals = 0; ; ) {
    try {
      const response = await ingest.send(token, batch.lines, { signal });
      if (response.outcome === 'accepted') return retrier.progressed();
      if (response.outcome === 'refused' && response.busy) {
        // Not an error: the server sets the pace.
        retrier.progressed();
        const wait_ms = response.wait_ms ?? Math.min(BUSY_LONGEST_MS, BUSY_FIRST_MS * 2 ** refusals);
        emit('job:retry', { attempt: ++refusals, wait_ms, reason: response.reason });
        await wait(wait_ms, undefined, { signal }).catch(() => signal.throwIfAborted());
        continue;
      }
      if (response.outcome === 'unknown') sent.maybe_duplicated += batch.rows;
      throw new BifractError('SERVER_UNREACHABLE', `Bifract server: ${response.reason}`, {
        transient: true,
      });
    } catch (error) {
      await retrier.wait(asBifractError(error), signal);
    }
  }
}

/** Warns of rows that were skipped, or may be duplicated. */
export function warnAboutSkippedRows(
  { newlines, empty, without_line, maybe_duplicated }: SentRows,
  { emit }: Pick<JobContext, 'emit'>,
): void {
  const messages = [
    newlines > 0 && `${plural(newlines, 'row')} skipped: newlines in the log line, which ingest would split`,
    empty > 0 && `${plural(empty, 'row')} skipped: empty log line`,
    without_line > 0 &&
      `${plural(without_line, 'row')} sent as the text of their fields: their original lines were not kept`,
    maybe_duplicated > 0 &&
      `Up to ${maybe_duplicated} rows may be duplicated: the response of the server was lost, and they were sent again`,
  ];
  for (const message of messages) if (message) emit('job:warning', { message });
}

/**
 * The log lines of an archive's rows in batches, starting after the first `from` rows of the range. A later run may
 * use other batch boundaries: it starts after the last accepted row.
 */
async function* lineBatches(
  blocks: AsyncIterable<Buffer>,
  { range, from, limits }: { range: RowRange | undefined; from: number; limits: RestoreLimits['batch'] },
  skipped: SkippedLines,
): AsyncGenerator<LineBatch> {
  let parts: Buffer[] = [];
  let [rows, bytes, position] = [0, 0, 0];
  const batch = (): LineBatch => {
    const done = { lines: Buffer.concat(parts), rows, end: position };
    parts = [];
    rows = bytes = 0;
    return done;
  };
  for await (const block of blocks) {
    for (const { text, from: source } of rowsInRange(block, range)) {
      if (++position <= from) continue;
      if (!isSendable(text, skipped)) continue;
      if (source !== 'raw') skipped.without_line++;
      parts.push(text, Buffer.of(NEWLINE));
      rows++;
      bytes += text.length + 1;
      if (rows >= limits.rows || bytes >= limits.bytes) yield batch();
    }
  }
  if (rows > 0) yield batch();
}

function* rowsInRange(block: Buffer, range: RowRange | undefined): Generator<RowText> {
  for (let start = 0; start < block.length; ) {
    const end = block.indexOf(NEWLINE, start) + 1 || block.length;
    const row = parseLine(block.subarray(start, end));
    start = end;
    if ('malformed' in row) continue;
    if (range) {
      const ms = row.ts === null ? Number.NaN : Date.parse(row.ts);
      if (!(ms >= range.from_ms && ms < range.to_ms)) continue;
    }
    yield rowText(row);
  }
}

function isSendable(text: Buffer, skipped: SkippedLines): boolean {
  if (text.length === 0) skipped.empty++;
  else if (text.includes(NEWLINE)) skipped.newlines++;
  else return true;
  return false;
}
