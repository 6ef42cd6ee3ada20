import { asBifractError, BifractError } from '../../contract/errors.ts';
import type { Emit } from '../../contract/events.ts';
import type { JobContext } from '../../job/context.ts';
import { combine, type Failure } from '../../job/failures.ts';
import type { State } from '../../ports/state.ts';
import type { DeleteTarget } from '../delete/contract.ts';
import type { DueItem, DueOutcome, RunDueSummary, ScheduleMode } from './contract.ts';

/** What a run reports of an archive. */
export interface DueArchive {
  log_count: number;
  size_bytes: number;
  files: number;
}

export interface RunDueDeps {
  state: State;
  planDue(query: { mode?: ScheduleMode; fractal_id?: string; signal: AbortSignal }): Promise<DueItem[]>;
  archive(item: DueItem, context: JobContext): Promise<DueArchive>;
  remove(
    targets: readonly DeleteTarget[],
    context: JobContext,
  ): Promise<{ deleted: number; freed_bytes: number }>;
}

/**
 * Makes the scheduled archives that are due, then applies `max_archives`, one fractal after the other, with an item
 * for each. One failure does not stop the others; a fractal in use is skipped. `BUSY` if another run is active on
 * this installation; otherwise throws the combined failures.
 */
export async function runDue(
  deps: RunDueDeps,
  { mode }: { mode?: ScheduleMode },
  context: JobContext,
): Promise<RunDueSummary> {
  const started = performance.now();
  await assertOnlyRun(deps.state, context);
  try {
    const items = await deps.planDue({ mode, signal: context.signal });
    const run = new DueRun(deps, context, mode);
    for (const [index, item] of items.entries()) await run.processFractal(item, index);
    const error = combine(run.failures, run.attempted, 'fractals failed');
    if (error) throw error;
    return { ...sumUp(run.outcomes), duration_ms: Math.round(performance.now() - started) };
  } finally {
    await deps.state.remove(context.id);
  }
}

/** Of two runs started at once, the earlier one continues. */
async function assertOnlyRun(state: State, { id, now }: JobContext): Promise<void> {
  const record = { id, kind: 'run-due' as const, started_at: now().toISOString() };
  await state.save(record);
  const rank = (job: { id: string; started_at: string }) => `${job.started_at} ${job.id}`;
  const other = (await state.running()).find(
    (job) => job.kind === 'run-due' && job.id !== id && rank(job) < rank(record),
  );
  if (!other) return;
  await state.remove(id);
  throw new BifractError('BUSY', `Another run of scheduled archives is active since ${other.started_at}`, {
    hint: 'It archives everything that is due; nothing else to do.',
  });
}

class DueRun {
  readonly outcomes: DueOutcome[] = [];
  readonly failures: Failure[] = [];
  /** Fractals that were not skipped. */
  attempted = 0;
  readonly #deps: RunDueDeps;
  readonly #context: JobContext;
  readonly #mode: ScheduleMode | undefined;
  readonly #progress = { rows: 0, bytes_in: 0, bytes_out: 0 };

  constructor(deps: RunDueDeps, context: JobContext, mode: ScheduleMode | undefined) {
    this.#deps = deps;
    this.#context = context;
    this.#mode = mode;
  }

  async processFractal(planned: DueItem, index: number): Promise<void> {
    const { signal, emit } = this.#context;
    signal.throwIfAborted();
    const { fractal_id, fractal_name } = planned;
    const zero = { rows: 0, size_bytes: 0, files: 0, deleted: 0, freed_bytes: 0 };
    const outcome: DueOutcome = { fractal_id, fractal_name, action: 'skipped', ...zero };
    const messages: string[] = [];
    const context = this.#contextFor(fractal_name, index);
    const error =
      (await this.#reportOf(() => this.#archiveIfDue(planned, outcome, messages, context))) ??
      (await this.#reportOf(() => this.#applyRetention(planned, outcome, messages, context)));
    if (outcome.action !== 'skipped' || outcome.deleted > 0 || error) this.attempted++;
    if (error) outcome.action = 'failed';
    if (error) this.failures.push({ item: fractal_name, error });
    this.outcomes.push(outcome);
    const message = [...messages, ...(error ? [error.message] : [])].join('; ');
    emit('job:item', { item: fractal_name, ok: !error, message, error, details: { ...outcome } });
  }

  async #reportOf(work: () => Promise<void>) {
    try {
      await work();
      return undefined;
    } catch (thrown) {
      this.#context.signal.throwIfAborted();
      return asBifractError(thrown).report();
    }
  }

  async #archiveIfDue(
    planned: DueItem,
    outcome: DueOutcome,
    messages: string[],
    context: JobContext,
  ): Promise<void> {
    if (planned.action === 'skip') return void messages.push(`skipped: ${planned.reason}`);
    // Another process may have archived it since the plan was made.
    const [item = planned] = await this.#plan(planned.fractal_id);
    if (item.action === 'skip') return void messages.push(`skipped: ${item.reason}`);
    try {
      const { log_count, size_bytes, files } = await this.#deps.archive(item, context);
      Object.assign(outcome, {
        action: files > 0 ? 'archived' : 'nothing',
        rows: log_count,
        size_bytes,
        files,
      });
    } catch (thrown) {
      context.signal.throwIfAborted();
      const error = asBifractError(thrown);
      if (error.code !== 'BUSY') throw error;
      return void messages.push(`skipped: ${error.message}`);
    }
    messages.push(archivedMessage(item, outcome));
  }

  async #applyRetention(
    planned: DueItem,
    outcome: DueOutcome,
    messages: string[],
    context: JobContext,
  ): Promise<void> {
    if (planned.max_archives === null) return;
    const [item] = await this.#plan(planned.fractal_id);
    const excess = item?.surplus ?? [];
    const deletable = excess.filter(({ action }) => action === 'delete');
    for (const { action, created_at, reason } of excess) {
      if (action === 'keep') messages.push(`kept ${created_at}: ${reason}`);
    }
    if (deletable.length === 0) return;
    const { freed_bytes } = await this.#deps.remove(deletable, context);
    Object.assign(outcome, { deleted: deletable.length, freed_bytes });
    messages.push(`deleted ${deletable.length} (max_archives ${planned.max_archives})`);
  }

  #plan(fractal_id: string): Promise<DueItem[]> {
    return this.#deps.planDue({ mode: this.#mode, fractal_id, signal: this.#context.signal });
  }

  /** The job context for one fractal, whose counts add to those of the fractals before it. */
  #contextFor(name: string, index: number): JobContext {
    const { id, emit } = this.#context;
    const base = { ...this.#progress };
    const record: Emit = (event, payload) => {
      if (event === 'job:progress') {
        const { rows = 0, bytes_in = 0, bytes_out = 0 } = payload as Partial<typeof base>;
        this.#progress.rows = base.rows + rows;
        this.#progress.bytes_in = base.bytes_in + bytes_in;
        this.#progress.bytes_out = base.bytes_out + bytes_out;
        emit('job:progress', { item: name, ...this.#progress });
      } else if ('phase' in payload) emit('job:phase', { phase: `${name}: ${payload.phase}` });
      else if (event === 'job:warning' && 'message' in payload)
        emit('job:warning', { message: `${name}: ${payload.message}` });
      else if (event === 'job:retry') emit(event, payload);
    };
    return { ...this.#context, id: `${id}-${index + 1}`, emit: record };
  }
}

function archivedMessage({ mode, reason }: DueItem, { rows, files }: DueOutcome): string {
  if (files === 0) return mode === 'incremental' ? 'no new rows' : 'no rows';
  const what = `archived ${rows} ${rows === 1 ? 'row' : 'rows'} in ${files} ${files === 1 ? 'file' : 'files'}`;
  return `${what} (${reason})`;
}

function sumUp(fractals: DueOutcome[]): Omit<RunDueSummary, 'duration_ms'> {
  const sum = (key: 'rows' | 'size_bytes' | 'deleted' | 'freed_bytes') =>
    fractals.reduce((total, processFractal) => total + processFractal[key], 0);
  return {
    archived: fractals.filter(({ action }) => action === 'archived').length,
    skipped: fractals.filter(({ action }) => action === 'skipped').length,
    rows: sum('rows'),
    size_bytes: sum('size_bytes'),
    deleted: sum('deleted'),
    freed_bytes: sum('freed_bytes'),
    fractals,
  };
}
