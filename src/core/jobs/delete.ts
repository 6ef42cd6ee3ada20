import type { DeleteItem, DeletePlan } from '../deletion.ts';
import { asBifractError, BifractError, type ErrorReport } from '../errors.ts';
import type { Catalog } from '../ports/catalog.ts';
import type { State } from '../ports/state.ts';
import type { Place, Storage, Storages } from '../ports/storage.ts';
import type { JobContext } from './context.ts';
import { combine, type Failure } from './failures.ts';
import { mustBeIdle } from './in-use.ts';
import { findFile } from './record-file.ts';

export interface DeleteDeps {
  storages: Storages;
  catalog(): Promise<Catalog>;
  state: State;
}

export interface DeleteSummary {
  deleted: number;
  freed_bytes: number;
  duration_ms: number;
}

/**
 * Deletes what the plan says, one after the other, an event for each. Record and file of an archive go together: the file
 * within the transaction that removes the record. A file that is gone already is fine; one that is another than the plan saw stays
 * (`BUSY`). Throws what the failures come to; what the plan keeps although it was named is one.
 */
export async function deletePlanned(
  deps: DeleteDeps,
  plan: DeletePlan,
  context: JobContext,
): Promise<DeleteSummary> {
  const started = performance.now();
  const { signal, emit } = context;
  const run = new Run(deps, context);
  const failures: Failure[] = [];
  let freed_bytes = 0;
  await run.note();
  try {
    emit('job:phase', { phase: 'Deleting' });
    for (const item of plan.items) {
      signal.throwIfAborted();
      emit('job:progress', { item: item.path ?? item.id });
      const error = item.refusal ?? (await attempt(() => run.delete(item), item, context));
      if (error) failures.push({ item: item.path ?? item.id, error });
      else freed_bytes += item.size_bytes;
      if (item.refusal) tell(item, context, item.refusal);
    }
  } finally {
    await run.end();
  }
  const error = combine(failures, plan.items.length, 'could not be deleted');
  if (error) throw error;
  const duration_ms = Math.round(performance.now() - started);
  return { deleted: plan.items.length, freed_bytes, duration_ms };
}

async function attempt(
  work: () => Promise<string>,
  item: DeleteItem,
  context: JobContext,
): Promise<ErrorReport | undefined> {
  try {
    const message = await work();
    context.emit('job:item', { item: item.path ?? item.id, ok: true, message });
    return undefined;
  } catch (thrown) {
    context.signal.throwIfAborted();
    const error = asBifractError(thrown).report();
    tell(item, context, error);
    return error;
  }
}

function tell({ path, id }: DeleteItem, { emit }: JobContext, error: ErrorReport): void {
  emit('job:item', { item: path ?? id, ok: false, message: error.message, error });
}

/** One run, and the journal of what it is at. */
class Run {
  readonly #deps: DeleteDeps;
  readonly #context: JobContext;
  /** Archives that are not known to be gone, or to be still there, as a whole. */
  readonly #open = new Set<string>();

  constructor(deps: DeleteDeps, context: JobContext) {
    this.#deps = deps;
    this.#context = context;
  }

  async note(): Promise<void> {
    const { id, now } = this.#context;
    const deleting = [...this.#open].map((archive_id) => ({ archive_id }));
    await this.#deps.state.note({ id, kind: 'delete', started_at: now().toISOString(), deleting });
  }

  /** What is still open is ended by the next job of a later process: its note must stay. */
  async end(): Promise<void> {
    if (this.#open.size === 0) await this.#deps.state.forget(this.#context.id);
  }

  async delete(item: DeleteItem): Promise<string> {
    if (item.name !== null) await mustBeIdle(this.#deps.state, item.name, this.#context.id);
    if (item.kind === 'group') {
      const gone = await (await this.#deps.catalog()).deleteGroup(item.id);
      return gone ? 'deleted' : 'was gone already';
    }
    if (item.archive_id !== null) return this.#deleteArchive(item, item.archive_id);
    const place = item.kind === 'backup' ? 'backups' : 'archives';
    return (await this.#removeFile(item, place)) ? 'deleted' : 'was gone already';
  }

  async #deleteArchive(item: DeleteItem, archive_id: string): Promise<string> {
    const catalog = await this.#deps.catalog();
    await this.#mustBePlanned(catalog, item, archive_id);
    this.#open.add(archive_id);
    await this.note();
    let removed: boolean | undefined;
    const remove = async () => {
      removed ??= await this.#removeFile(item, 'archives');
    };
    const deleted = await catalog.deleteArchive(archive_id, remove).catch((error: unknown) => {
      // With the file still there nothing has changed. With the file gone, the record must follow.
      if (removed) return catalog.deleteArchive(archive_id, remove);
      return this.#stays(item, archive_id).then(() => Promise.reject(error));
    });
    if (!deleted) await remove();
    this.#open.delete(archive_id);
    if (!deleted && !removed) return 'was gone already';
    return removed ? 'file and record deleted' : 'record deleted; the file was gone already';
  }

  /** A deletion that failed is closed where the file is seen to be there. */
  async #stays({ name, storage_type }: DeleteItem, archive_id: string): Promise<void> {
    const storage = await this.#storage('archives', storage_type);
    if (name === null || (await storage.stat(name))) this.#open.delete(archive_id);
  }

  /** The record may lead to another file by now. */
  async #mustBePlanned(catalog: Catalog, item: DeleteItem, archive_id: string): Promise<void> {
    const { signal } = this.#context;
    const [record] = await catalog.archives({ ids: [archive_id] }, { signal });
    const found = record && (await findFile(this.#deps.storages, record, { signal }));
    if (!found || (found.storage.kind === item.storage_type && found.object.name === item.name)) return;
    throw changed();
  }

  /** False where there is none any more. Not to be cut short. */
  async #removeFile({ name, storage_type, size_bytes, modified_at }: DeleteItem, place: Place) {
    if (name === null) return false;
    const storage = await this.#storage(place, storage_type);
    const object = await storage.stat(name);
    if (!object) return false;
    if (object.size_bytes !== size_bytes || object.modified_at !== modified_at) throw changed();
    return storage.delete(name);
  }

  async #storage(place: Place, type: DeleteItem['storage_type']): Promise<Storage> {
    const { storages } = this.#deps;
    const own = await storages[place]();
    if (own.kind === type) return own;
    const other = type === 'disk' || type === 's3' ? await storages.stored(place, type) : undefined;
    if (other) return other;
    throw new BifractError('NOT_FOUND', `The storage that it is in (${type}) is not set up any more`, {
      hint: 'Set BIFRACT_S3_BUCKET in .env again: see docs/storage.md.',
    });
  }
}

function changed(): BifractError {
  return new BifractError('BUSY', 'It has changed since the plan was made', { hint: 'Plan it again.' });
}
