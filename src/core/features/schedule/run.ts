import { asBifractError, BifractError } from '../../contract/errors.ts';
import type { Emit } from '../../contract/events.ts';
import { withAudit } from '../../job/audited.ts';
import type { JobContext } from '../../job/context.ts';
import { forEachItem, type ItemOutcome } from '../../job/items.ts';
import { withLock } from '../../job/lock.ts';
import type { Services } from '../../ports/services.ts';
import type { State } from '../../ports/state.ts';
import { plural } from '../../text/units.ts';
import { archive } from '../archive/archive.ts';
import type { ArchiveJobRequest } from '../archive/contract.ts';
import type { DeleteSummary } from '../delete/contract.ts';
import { refusalOf } from '../delete/delete.ts';
import { deleteJob } from '../delete/job.ts';
import { planDelete } from '../delete/plan.ts';
import { mustNotBeHalfRestored } from '../files/half-restored.ts';
import type { DueItem, DueOutcome, ExcessItem, RunDueJobRequest, RunDueSummary } from './contract.ts';
import { planDue } from './plan.ts';

/**
 * Makes the scheduled archives that are due, then applies `max_archives`, one fractal after the other, with an item
 * for each. One failure does not stop the others; a fractal in use is skipped. `BUSY` if another run is active on
 * this installation; otherwise throws the combined failures.
 */
export async function runDue(
  services: Services,
  request: RunDueJobRequest,
  context: JobContext,
): Promise<RunDueSummary> {
  const started = performance.now();
  const { state } = services;
  await assertOnlyRun(state, context);
  try {
    const items = await planDue(services, { mode: request.mode, signal: context.signal });
    const run = new DueRun(services, request, context);
    const text = { name: ({ fractal_name }: DueItem) => fractal_name, failed: 'fractals failed' };
    await forEachItem(items, text, (item) => run.processFractal(item), context);
    return { ...sumUp(run.outcomes), duration_ms: Math.round(performance.now() - started) };
  } finally {
    await state.remove(context.id);
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
  throw new BifractError(
    'BUSY',
    `Another run of scheduled archives has been active since ${other.started_at}`,
    {
      hint: 'It archives everything that is due; nothing else to do.',
    },
  );
}

class DueRun {
  readonly outcomes: DueOutcome[] = [];
  readonly #services: Services;
  readonly #request: RunDueJobRequest;
  readonly #context: JobContext;
  /** Counts of the fractals so far. */
  readonly #progress = { rows: 0, bytes_in: 0, bytes_out: 0 };

  constructor(services: Services, request: RunDueJobRequest, context: JobContext) {
    this.#services = services;
    this.#request = request;
    this.#context = context;
  }

  async processFractal(planned: DueItem): Promise<ItemOutcome> {
    const { fractal_id, fractal_name } = planned;
    const zero = { rows: 0, size_bytes: 0, files: 0, deleted: 0, freed_bytes: 0 };
    const outcome: DueOutcome = { fractal_id, fractal_name, action: 'skipped', ...zero };
    this.outcomes.push(outcome);
    const messages: string[] = [];
    const context = this.#contextFor(fractal_name);
    try {
      await mustNotBeHalfRestored(this.#services.state, fractal_id);
      messages.push(await this.#archiveIfDue(planned, outcome, context));
      await this.#applyRetention(planned, outcome, messages, context);
    } catch (thrown) {
      this.#context.signal.throwIfAborted();
      outcome.action = 'failed';
      const error = asBifractError(thrown).report();
      return { message: [...messages, error.message].join('; '), error, details: { ...outcome } };
    }
    const skipped = outcome.action === 'skipped' && outcome.deleted === 0;
    return { message: messages.join('; '), skipped, details: { ...outcome } };
  }

  /** Returns what was done, in a few words, and records it in `outcome`. */
  async #archiveIfDue(planned: DueItem, outcome: DueOutcome, context: JobContext): Promise<string> {
    if (planned.action === 'skip') return `skipped: ${planned.reason}`;
    // Another process may have archived it since the plan was made.
    const item = (await this.#planAgain(planned)) ?? planned;
    if (item.action === 'skip') return `skipped: ${item.reason}`;
    try {
      const { log_count, size_bytes, children } = await archive(this.#services, requestOf(item), context);
      const action = children.length > 0 ? 'archived' : 'nothing';
      Object.assign(outcome, { action, rows: log_count, size_bytes, files: children.length });
    } catch (thrown) {
      context.signal.throwIfAborted();
      const error = asBifractError(thrown);
      if (error.code !== 'BUSY') throw error;
      return `skipped: ${error.message}`;
    }
    return archivedMessage(item, outcome);
  }

  async #applyRetention(
    planned: DueItem,
    outcome: DueOutcome,
    messages: string[],
    context: JobContext,
  ): Promise<void> {
    if (planned.max_archives === null) return;
    await withLock(this.#services.state, context, () =>
      this.#removeSurplus(planned, outcome, messages, context),
    );
  }

  /** Plans under the lock: what else deletes or changes archives has ended. */
  async #removeSurplus(
    planned: DueItem,
    outcome: DueOutcome,
    messages: string[],
    context: JobContext,
  ): Promise<void> {
    const excess = (await this.#planAgain(planned))?.surplus ?? [];
    const deletable = excess.filter(({ action }) => action === 'delete');
    for (const { action, created_at, reason } of excess)
      if (action === 'keep') messages.push(`kept ${created_at}: ${reason}`);
    if (deletable.length === 0) return;
    const { freed_bytes } = await removeExcess(this.#services, deletable, context);
    Object.assign(outcome, { deleted: deletable.length, freed_bytes });
    messages.push(`deleted ${deletable.length} (max_archives ${planned.max_archives})`);
  }

  async #planAgain({ fractal_id }: DueItem): Promise<DueItem | undefined> {
    const query = { mode: this.#request.mode, fractal_id, signal: this.#context.signal };
    return (await planDue(this.#services, query))[0];
  }

  /** The job context for the latest fractal, whose counts add to those of the fractals before it. */
  #contextFor(name: string): JobContext {
    const { id, emit } = this.#context;
    const base = { ...this.#progress };
    const forward: Emit = (event, payload) => {
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
    return { ...this.#context, id: `${id}-${this.outcomes.length}`, emit: forward };
  }
}

function requestOf({ fractal_id, fractal_name, split, mode, to }: DueItem): ArchiveJobRequest {
  return {
    kind: 'archive',
    fractal_id,
    fractal_name,
    split,
    archive_type: 'scheduled',
    only_uncovered: mode === 'incremental',
    ...(to === null ? {} : { to }),
  };
}

/** Deletes what exceeds `max_archives`, with a plan and an entry in the audit log of its own. */
async function removeExcess(
  services: Services,
  excess: readonly ExcessItem[],
  context: JobContext,
): Promise<DeleteSummary> {
  const plan = await planDelete(services, excess, { signal: context.signal });
  const request = { kind: 'delete' as const, plan };
  const what = deleteJob.destroys(request) ?? [];
  const title = `Retention by max_archives: delete ${plural(what.length, 'archive')}`;
  const summary = await withAudit(services.audit, { kind: 'run-due', title, what }, context, (own) =>
    deleteJob.run(services, request, own),
  );
  // Nobody has seen the plan.
  const refusal = refusalOf(plan);
  if (refusal) throw refusal;
  return summary;
}

function archivedMessage({ mode, reason }: DueItem, { rows, files }: DueOutcome): string {
  if (files === 0) return mode === 'incremental' ? 'no new rows' : 'no rows';
  const what = `archived ${plural(rows, 'row')} in ${plural(files, 'file')}`;
  return `${what} (${reason})`;
}

function sumUp(fractals: DueOutcome[]): Omit<RunDueSummary, 'duration_ms'> {
  const sum = (key: 'rows' | 'size_bytes' | 'deleted' | 'freed_bytes') =>
    fractals.reduce((total, fractal) => total + fractal[key], 0);
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
