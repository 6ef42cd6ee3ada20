import type { DeleteTarget } from '../deletion.ts';
import { asBifractError, BifractError } from '../errors.ts';
import type { Emit } from '../events.ts';
import type { State } from '../ports/state.ts';
import type { DueItem, DueOutcome, RunDueSummary, ScheduleMode } from '../schedule.ts';
import type { JobContext } from './context.ts';
import { combine, type Failure } from './failures.ts';

/** What of an archive's summary is told. */
export interface DueArchive {
  log_count: number;
  size_bytes: number;
  /** How many files it made. */
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
 * Makes the scheduled archives that are due, then removes what `max_archives` says is too many, one fractal after the
 * other, an item each: one that fails does not keep the others from their turn. A fractal that somebody else works on is
 * skipped. `BUSY` where another run works on this installation; else throws what the failures come to.
 */
export async function runDue(
  deps: RunDueDeps,
  { mode }: { mode?: ScheduleMode },
  context: JobContext,
): Promise<RunDueSummary> {
  const started = performance.now();
  await takeTurn(deps.state, context);
  try {
    const items = await deps.planDue({ mode, signal: context.signal });
    const run = new Run(deps, context, mode);
    for (const [index, item] of items.entries()) await run.fractal(item, index);
    const error = combine(run.failures, run.tried, 'fractals failed');
    if (error) throw error;
    return { ...sumUp(run.outcomes), duration_ms: Math.round(performance.now() - started) };
  } finally {
    await deps.state.forget(context.id);
  }
}

/** Of two that begin at once, one goes on. */
async function takeTurn(state: State, { id, now }: JobContext): Promise<void> {
  const own = { id, kind: 'run-due' as const, started_at: now().toISOString() };
  await state.note(own);
  const rank = (note: { id: string; started_at: string }) => `${note.started_at} ${note.id}`;
  const other = (await state.live()).find(
    (note) => note.kind === 'run-due' && note.id !== id && rank(note) < rank(own),
  );
  if (!other) return;
  await state.forget(id);
  throw new BifractError('BUSY', `Scheduled archives are being made since ${other.started_at}`, {
    hint: 'That run does what is due; nothing is to be done.',
  });
}

class Run {
  readonly outcomes: DueOutcome[] = [];
  readonly failures: Failure[] = [];
  /** Fractals that were not skipped. */
  tried = 0;
  readonly #deps: RunDueDeps;
  readonly #context: JobContext;
  readonly #mode: ScheduleMode | undefined;
  readonly #before = { rows: 0, bytes_in: 0, bytes_out: 0 };

  constructor(deps: RunDueDeps, context: JobContext, mode: ScheduleMode | undefined) {
    this.#deps = deps;
    this.#context = context;
    this.#mode = mode;
  }

  async fractal(planned: DueItem, index: number): Promise<void> {
    const { signal, emit } = this.#context;
    signal.throwIfAborted();
    const { fractal_id, fractal_name } = planned;
    const nothing = { rows: 0, size_bytes: 0, files: 0, deleted: 0, freed_bytes: 0 };
    const outcome: DueOutcome = { fractal_id, fractal_name, action: 'skipped', ...nothing };
    const words: string[] = [];
    const context = this.#own(fractal_name, index);
    const error =
      (await this.#attempt(() => this.#archive(planned, outcome, words, context))) ??
      (await this.#attempt(() => this.#retain(planned, outcome, words, context)));
    if (outcome.action !== 'skipped' || outcome.deleted > 0 || error) this.tried++;
    if (error) outcome.action = 'failed';
    if (error) this.failures.push({ item: fractal_name, error });
    this.outcomes.push(outcome);
    const message = [...words, ...(error ? [error.message] : [])].join('; ');
    emit('job:item', { item: fractal_name, ok: !error, message, error, details: { ...outcome } });
  }

  async #attempt(work: () => Promise<void>) {
    try {
      await work();
      return undefined;
    } catch (thrown) {
      this.#context.signal.throwIfAborted();
      return asBifractError(thrown).report();
    }
  }

  async #archive(planned: DueItem, outcome: DueOutcome, words: string[], context: JobContext): Promise<void> {
    if (planned.action === 'skip') return void words.push(`skipped: ${planned.reason}`);
    // Time has passed since the plan: somebody else may have made it meanwhile.
    const [item = planned] = await this.#plan(planned.fractal_id);
    if (item.action === 'skip') return void words.push(`skipped: ${item.reason}`);
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
      return void words.push(`skipped: ${error.message}`);
    }
    words.push(archivedWords(item, outcome));
  }

  async #retain(planned: DueItem, outcome: DueOutcome, words: string[], context: JobContext): Promise<void> {
    if (planned.max_archives === null) return;
    const [item] = await this.#plan(planned.fractal_id);
    const surplus = item?.surplus ?? [];
    const going = surplus.filter(({ action }) => action === 'delete');
    for (const { action, created_at, reason } of surplus) {
      if (action === 'keep') words.push(`that of ${created_at} stays: ${reason}`);
    }
    if (going.length === 0) return;
    const { freed_bytes } = await this.#deps.remove(going, context);
    Object.assign(outcome, { deleted: going.length, freed_bytes });
    words.push(`${going.length} of before removed (max_archives ${planned.max_archives})`);
  }

  #plan(fractal_id: string): Promise<DueItem[]> {
    return this.#deps.planDue({ mode: this.#mode, fractal_id, signal: this.#context.signal });
  }

  /** A context for one fractal: its counts go on from those before it. */
  #own(name: string, index: number): JobContext {
    const { id, emit } = this.#context;
    const base = { ...this.#before };
    const own: Emit = (event, payload) => {
      if (event === 'job:progress') {
        const { rows = 0, bytes_in = 0, bytes_out = 0 } = payload as Partial<typeof base>;
        this.#before.rows = base.rows + rows;
        this.#before.bytes_in = base.bytes_in + bytes_in;
        this.#before.bytes_out = base.bytes_out + bytes_out;
        emit('job:progress', { item: name, ...this.#before });
      } else if ('phase' in payload) emit('job:phase', { phase: `${name}: ${payload.phase}` });
      else if (event === 'job:warning' && 'message' in payload)
        emit('job:warning', { message: `${name}: ${payload.message}` });
      else if (event === 'job:retry') emit(event, payload);
    };
    return { ...this.#context, id: `${id}-${index + 1}`, emit: own };
  }
}

function archivedWords({ mode, reason }: DueItem, { rows, files }: DueOutcome): string {
  if (files === 0) return mode === 'incremental' ? 'nothing that is not archived already' : 'holds no rows';
  const what = `archived ${rows} ${rows === 1 ? 'row' : 'rows'} in ${files} ${files === 1 ? 'file' : 'files'}`;
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
