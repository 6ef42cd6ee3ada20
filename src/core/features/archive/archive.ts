import { asBifractError, BifractError } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import { combine } from '../../job/failures.ts';
import { Retrier } from '../../job/retry.ts';
import { GRANULARITIES, type Granularity } from '../../policy/periods.ts';
import type { ArchiveType, Fractal } from '../../ports/catalog.ts';
import type { ArchiveRequest } from '../../ports/state.ts';
import type { CallOptions, Timestamp } from '../../ports/types.ts';
import { findFractal } from '../files/find-fractal.ts';
import type { ArchiveSummary } from './contract.ts';
import { ArchiveGroup, type ArchiveGroupDeps } from './group-writer.ts';
import type { ArchivePlan } from './plan-types.ts';
import { planResume } from './resume.ts';
import { summarize } from './summary.ts';
import { planWindows, type WindowPlan } from './windows.ts';

export interface ArchiveDeps extends ArchiveGroupDeps {
  /** Total time to spend on retries, milliseconds. */
  max_error_time_ms: number;
  /** Wait before the first retry, milliseconds. */
  first_wait_ms?: number;
  /** Removes from a plan what complete archives already hold, for `only_uncovered`. */
  selectUncovered?(fractal: Fractal, plan: WindowPlan, options: CallOptions): Promise<WindowPlan>;
}

export interface ArchiveOptions {
  fractal_id: string;
  /** Include the parsed fields in each line. */
  fields: boolean;
  /** Default: the setting of the fractal. */
  split?: Granularity;
  /** Only rows with `from ≤ timestamp < to`. */
  from?: Timestamp;
  to?: Timestamp;
  /** Default `adhoc`. */
  archive_type?: ArchiveType;
  only_uncovered?: boolean;
  /** Do not resume an interrupted archive. */
  fresh?: boolean;
}

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
  deps: ArchiveDeps,
  options: ArchiveOptions,
  context: JobContext,
): Promise<ArchiveSummary> {
  const started = performance.now();
  context.emit('job:phase', { phase: 'Counting rows' });
  const fractal = await findFractal(deps.catalog, options.fractal_id, context.signal);
  await assertNotBeingRestored(deps, fractal);
  const request = requestOf(fractal, options);
  const retrier = new Retrier(
    {
      max_ms: deps.max_error_time_ms,
      variable: 'BIFRACT_ARCHIVE_MAX_ERROR_TIME',
      first_ms: deps.first_wait_ms,
    },
    context,
  );
  const plan = await makePlan(deps, fractal, request, options, retrier, context);
  const group = plan && (await writeFiles(deps, plan, retrier, context));
  const summary = summarize(fractal, {
    split: request.split,
    window: { from: request.from, to: request.to },
    group_id: group?.group_id ?? null,
    continued: plan?.resumed !== undefined,
    children: group?.children ?? [],
  });
  return { ...summary, duration_ms: Math.round(performance.now() - started) };
}

/** An archive made during a restore would hold only some of the restored rows. */
async function assertNotBeingRestored({ state }: ArchiveDeps, { id, name }: Fractal): Promise<void> {
  const restoring_job = (await state.running()).find(
    ({ restoring }) => restoring && !restoring.left && restoring.plan.into.id === id,
  );
  if (!restoring_job) return;
  throw new BifractError('BUSY', `Job ${restoring_job.id} is restoring rows into ${name}`, {
    hint: 'Wait until it has finished, then archive.',
  });
}

function requestOf({ id, archive_split }: Fractal, options: ArchiveOptions): ArchiveRequest {
  const configured = GRANULARITIES.find((one) => one === archive_split) ?? 'none';
  return {
    fractal_id: id,
    split: options.split ?? configured,
    from: options.from ?? null,
    to: options.to ?? null,
    fields: options.fields,
    archive_type: options.archive_type ?? 'adhoc',
    only_uncovered: options.only_uncovered ?? false,
  };
}

/** Undefined if there are no rows. */
async function makePlan(
  deps: ArchiveDeps,
  fractal: Fractal,
  request: ArchiveRequest,
  { fresh = false }: ArchiveOptions,
  retrier: Retrier,
  context: JobContext,
): Promise<ArchivePlan | undefined> {
  const { signal, now, emit } = context;
  const select = async (plan: WindowPlan) =>
    request.only_uncovered && deps.selectUncovered ? deps.selectUncovered(fractal, plan, { signal }) : plan;
  const interrupted = await planResume(deps, { fractal, request, fresh }, select, context);
  if (interrupted) {
    const { begun_at, end } = interrupted;
    emit('job:warning', {
      message: `Resuming the interrupted archive of ${begun_at}: it covers rows up to ${end}`,
    });
    return interrupted;
  }
  const { fractal_id, split, from, to } = request;
  const query = { fractal_id, split, ...(from === null ? {} : { from }), ...(to === null ? {} : { to }) };
  const plan = () => planWindows(deps.logs, query, { signal }).then(select);
  const { end, windows } = await retrier.through(plan, signal);
  if (end === null || windows.length === 0) return undefined;
  return { fractal, request, end, begun_at: now().toISOString(), windows };
}

async function writeFiles(
  deps: ArchiveDeps,
  plan: ArchivePlan,
  retrier: Retrier,
  context: JobContext,
): Promise<ArchiveGroup> {
  const group = new ArchiveGroup(deps, plan, context, retrier);
  try {
    await group.run();
  } catch (thrown) {
    if (context.signal.aborted || plan.request.split === 'none') throw thrown;
    throw stoppedEarly(group, plan, thrown);
  }
  const error = combine(group.failures, plan.windows.length, 'periods could not be archived');
  if (error) throw error;
  return group;
}

function stoppedEarly(group: ArchiveGroup, { windows }: ArchivePlan, thrown: unknown): BifractError {
  const error = asBifractError(thrown);
  const { length: archived } = group.children;
  if (archived === 0 && group.failures.length === 0) return error;
  return new BifractError(
    archived > 0 ? 'PARTLY_DONE' : error.code,
    `${archived} of ${windows.length} periods archived, ${group.failures.length} failed, ${group.not_started} not started: ${error.message}`,
    { hint: error.hint, cause: error },
  );
}
