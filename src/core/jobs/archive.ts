import { asBifractError, BifractError } from '../errors.ts';
import { GRANULARITIES, type Granularity } from '../policy/periods.ts';
import type { ArchiveType, Fractal } from '../ports/catalog.ts';
import type { ArchiveRequest } from '../ports/state.ts';
import type { CallOptions, Timestamp } from '../ports/types.ts';
import { takeUp } from './archive-continue.ts';
import { ArchiveGroup, type ArchiveGroupDeps } from './archive-group.ts';
import type { ArchivePlan } from './archive-plan.ts';
import { type ArchiveSummary, summarize } from './archive-summary.ts';
import { planWindows, type WindowPlan } from './archive-windows.ts';
import type { JobContext } from './context.ts';
import { combine } from './failures.ts';
import { findFractal } from './find-fractal.ts';
import { Patience } from './patience.ts';

export type { ArchiveChild, ArchiveSummary } from './archive-summary.ts';

export interface ArchiveDeps extends ArchiveGroupDeps {
  /** Time that may be spent waiting on retries in all, milliseconds. */
  max_error_time_ms: number;
  /** The first wait before a retry, milliseconds; a sensible one where absent. */
  first_wait_ms?: number;
  /** Leaves out of a plan what whole archives hold already: for `only_uncovered`. */
  uncovered?(fractal: Fractal, plan: WindowPlan, options: CallOptions): Promise<WindowPlan>;
}

export interface ArchiveOptions {
  fractal_id: string;
  /** Write the parsed fields into each line. */
  fields: boolean;
  /** Where absent, as the fractal is set. */
  split?: Granularity;
  /** Only rows with `from ≤ timestamp < to`. */
  from?: Timestamp;
  to?: Timestamp;
  /** Default `adhoc`. */
  archive_type?: ArchiveType;
  only_uncovered?: boolean;
  /** Do not go on with one that was interrupted. */
  fresh?: boolean;
}

/**
 * Archives the rows of a fractal into sealed files, one for each period, with a group and records in the catalog.
 *
 * The newest row at the start pins the end. Each file is sealed only after its rows were counted against ClickHouse's
 * own count, and its record is completed only after it is durable. An archive of the same request whose process died
 * goes on: periods that are done stay, and rows that were stored are not asked for again.
 *
 * Throws `PARTLY_DONE` where some periods failed, each told as a `job:item`.
 */
export async function archive(
  deps: ArchiveDeps,
  options: ArchiveOptions,
  context: JobContext,
): Promise<ArchiveSummary> {
  const started = performance.now();
  context.emit('job:phase', { phase: 'Counting rows' });
  const fractal = await findFractal(deps.catalog, options.fractal_id, context.signal);
  await mustNotBeFilled(deps, fractal);
  const request = requestOf(fractal, options);
  const patience = new Patience(
    {
      max_ms: deps.max_error_time_ms,
      variable: 'BIFRACT_ARCHIVE_MAX_ERROR_TIME',
      first_ms: deps.first_wait_ms,
    },
    context,
  );
  const plan = await makePlan(deps, fractal, request, options, patience, context);
  const group = plan && (await makeFiles(deps, plan, patience, context));
  const summary = summarize(fractal, {
    split: request.split,
    window: { from: request.from, to: request.to },
    group_id: group?.group_id ?? null,
    continued: plan?.continued !== undefined,
    children: group?.children ?? [],
  });
  return { ...summary, duration_ms: Math.round(performance.now() - started) };
}

/** Rows that are just coming back would be in it in part. */
async function mustNotBeFilled({ state }: ArchiveDeps, { id, name }: Fractal): Promise<void> {
  const filling = (await state.live()).find(
    ({ restoring }) => restoring && !restoring.left && restoring.plan.into.id === id,
  );
  if (!filling) return;
  throw new BifractError('BUSY', `The job ${filling.id} is bringing rows back into ${name}`, {
    hint: 'Wait for its end, then archive.',
  });
}

function requestOf({ id, archive_split }: Fractal, options: ArchiveOptions): ArchiveRequest {
  const set = GRANULARITIES.find((one) => one === archive_split) ?? 'none';
  return {
    fractal_id: id,
    split: options.split ?? set,
    from: options.from ?? null,
    to: options.to ?? null,
    fields: options.fields,
    archive_type: options.archive_type ?? 'adhoc',
    only_uncovered: options.only_uncovered ?? false,
  };
}

/** What is to be made; undefined where there are no rows. */
async function makePlan(
  deps: ArchiveDeps,
  fractal: Fractal,
  request: ArchiveRequest,
  { fresh = false }: ArchiveOptions,
  patience: Patience,
  context: JobContext,
): Promise<ArchivePlan | undefined> {
  const { signal, now, emit } = context;
  const select = async (plan: WindowPlan) =>
    request.only_uncovered && deps.uncovered ? deps.uncovered(fractal, plan, { signal }) : plan;
  const interrupted = await takeUp(deps, { fractal, request, fresh }, select, context);
  if (interrupted) {
    const { begun_at, end } = interrupted;
    emit('job:warning', {
      message: `Goes on with the archive that was begun at ${begun_at} and interrupted: it holds rows up to ${end}`,
    });
    return interrupted;
  }
  const { fractal_id, split, from, to } = request;
  const query = { fractal_id, split, ...(from === null ? {} : { from }), ...(to === null ? {} : { to }) };
  const plan = () => planWindows(deps.logs, query, { signal }).then(select);
  const { end, windows } = await patience.through(plan, signal);
  if (end === null || windows.length === 0) return undefined;
  return { fractal, request, end, begun_at: now().toISOString(), windows };
}

async function makeFiles(
  deps: ArchiveDeps,
  plan: ArchivePlan,
  patience: Patience,
  context: JobContext,
): Promise<ArchiveGroup> {
  const group = new ArchiveGroup(deps, plan, context, patience);
  try {
    await group.run();
  } catch (thrown) {
    if (context.signal.aborted || plan.request.split === 'none') throw thrown;
    throw endedEarly(group, plan, thrown);
  }
  const error = combine(group.failures, plan.windows.length, 'periods could not be archived');
  if (error) throw error;
  return group;
}

function endedEarly(group: ArchiveGroup, { windows }: ArchivePlan, thrown: unknown): BifractError {
  const error = asBifractError(thrown);
  const { length: made } = group.children;
  if (made === 0 && group.failures.length === 0) return error;
  return new BifractError(
    made > 0 ? 'PARTLY_DONE' : error.code,
    `${made} of ${windows.length} periods were archived, ${group.failures.length} failed and ${group.unbegun} were not begun: ${error.message}`,
    { hint: error.hint, cause: error },
  );
}
