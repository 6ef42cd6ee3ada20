import { asBifractError, BifractError } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import { combine } from '../../job/failures.ts';
import { Retrier } from '../../job/retry.ts';
import { GRANULARITIES } from '../../policy/periods.ts';
import type { Fractal } from '../../ports/catalog.ts';
import type { ArchiveRequest, State } from '../../ports/state.ts';
import { findFractal } from '../files/find-fractal.ts';
import { type ArchiveServices, type Connected, connect } from './connect.ts';
import type { ArchiveJobRequest, ArchiveSummary } from './contract.ts';
import { GroupWriter } from './group-writer.ts';
import { type ArchivePlan, planWindows } from './plan.ts';
import { planResume } from './resume.ts';

/**
 * Archives the rows of a fractal into sealed files, one for each period, with a group and records in the catalog.
 *
 * Rows newer than the newest one at the start are not included. A file is sealed only after its row count matches
 * ClickHouse's, and its record is completed only after the file is durable. An interrupted archive of the same
 * request is resumed: completed periods stay, and stored rows are not queried again.
 *
 * Throws `PARTLY_DONE` if some periods failed, each reported as a `job:item`.
 */
export async function archive(
  services: ArchiveServices,
  { fresh = false, parallel, ...options }: ArchiveJobRequest,
  context: JobContext,
): Promise<ArchiveSummary> {
  const started = performance.now();
  const connected = await connect(services);
  context.emit('job:phase', { phase: 'Counting rows' });
  const fractal = await findFractal(connected.catalog, options.fractal_id, context.signal);
  await assertNotBeingRestored(services.state, fractal);
  const request = requestOf(fractal, options);
  const retrier = new Retrier(connected.retry, context);
  const plan = await planArchive(connected, { fractal, request, fresh }, retrier, context);
  const written = plan && (await writeFiles(connected, { ...plan, parallel }, retrier, context));
  return {
    ...summarize(fractal, request, written),
    continued: plan?.resumed !== undefined,
    duration_ms: Math.round(performance.now() - started),
  };
}

/** An archive made during a restore would hold only some of the restored rows. */
async function assertNotBeingRestored(state: State, { id, name }: Fractal): Promise<void> {
  const restoring_job = (await state.running()).find(
    ({ restoring }) => restoring && !restoring.left && restoring.plan.into.id === id,
  );
  if (!restoring_job) return;
  throw new BifractError('BUSY', `Job ${restoring_job.id} is restoring rows into ${name}`, {
    hint: 'Wait until it has finished, then archive.',
  });
}

/** The request with its defaults: equal requests are the same archive. */
function requestOf({ id, archive_split }: Fractal, options: ArchiveJobRequest): ArchiveRequest {
  const configured = GRANULARITIES.find((one) => one === archive_split) ?? 'none';
  return {
    fractal_id: id,
    split: options.split ?? configured,
    from: options.from ?? null,
    to: options.to ?? null,
    fields: options.fields ?? true,
    archive_type: options.archive_type ?? 'adhoc',
    only_uncovered: options.only_uncovered ?? false,
  };
}

/** The rest of an interrupted archive of the same request, or a new one; undefined if there are no rows. */
async function planArchive(
  connected: Connected,
  requested: { fractal: Fractal; request: ArchiveRequest; fresh: boolean },
  retrier: Retrier,
  { signal, now, emit }: JobContext,
): Promise<ArchivePlan | undefined> {
  const interrupted = await planResume(connected, requested, now(), { signal });
  if (interrupted) {
    const { begun_at, end } = interrupted;
    emit('job:warning', {
      message: `Resuming the interrupted archive of ${begun_at}: it covers rows up to ${end}`,
    });
    return interrupted;
  }
  const { fractal, request } = requested;
  const plan = () => planWindows(connected.services, request, { signal });
  const { end, windows } = await retrier.through(plan, signal);
  if (end === null || windows.length === 0) return undefined;
  return { fractal, request, end, begun_at: now().toISOString(), windows };
}

async function writeFiles(
  connected: Connected,
  plan: ArchivePlan,
  retrier: Retrier,
  context: JobContext,
): Promise<GroupWriter> {
  const writer = new GroupWriter(connected, plan, retrier, context);
  try {
    await writer.run();
  } catch (thrown) {
    if (context.signal.aborted) throw cancelledAfter(writer, context.signal, thrown);
    if (plan.request.split === 'none') throw thrown;
    throw stoppedEarly(writer, plan, thrown);
  }
  const error = combine(writer.failures, plan.windows.length, 'periods could not be archived');
  if (error) throw error;
  return writer;
}

/** The reason, with a hint if files are kept. */
function cancelledAfter({ children }: GroupWriter, { reason }: AbortSignal, thrown: unknown): unknown {
  if (children.length === 0) return thrown;
  const { code, message } = asBifractError(reason);
  return new BifractError(code, message, {
    hint: 'Files of finished periods are kept. A new archive starts over.',
    cause: thrown,
  });
}

function stoppedEarly(writer: GroupWriter, { windows }: ArchivePlan, thrown: unknown): BifractError {
  const error = asBifractError(thrown);
  const { length: archived } = writer.children;
  if (archived === 0 && writer.failures.length === 0) return error;
  return new BifractError(
    archived > 0 ? 'PARTLY_DONE' : error.code,
    `${archived} of ${windows.length} periods archived, ${writer.failures.length} failed, ${writer.not_started} not started: ${error.message}`,
    { hint: error.hint, cause: error },
  );
}

/** Totals of the files of an archive, of which there may be none. */
function summarize(
  { id, name }: Fractal,
  { split, from, to }: ArchiveRequest,
  { group_id = null, children }: Pick<GroupWriter, 'children'> & { group_id?: string | null } = {
    children: [],
  },
): Omit<ArchiveSummary, 'continued' | 'duration_ms'> {
  const only = split === 'none' ? children[0] : undefined;
  const sum = (key: 'size_bytes' | 'log_count' | 'content_bytes') =>
    children.reduce((total, child) => total + child[key], 0);
  return {
    fractal_id: id,
    fractal_name: name,
    split,
    window: { from, to },
    group_id,
    children,
    archive_id: only?.archive_id ?? null,
    storage_path: only?.storage_path ?? null,
    checksum: only?.checksum ?? null,
    size_bytes: sum('size_bytes'),
    log_count: sum('log_count'),
    content_bytes: sum('content_bytes'),
    time_range_start: children[0]?.time_range_start ?? null,
    time_range_end: children.at(-1)?.time_range_end ?? null,
  };
}
