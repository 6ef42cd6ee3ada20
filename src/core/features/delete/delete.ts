import { asBifractError, BifractError, type ErrorReport } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import { combine, type Failure } from '../../job/failures.ts';
import type { Catalog } from '../../ports/catalog.ts';
import type { State } from '../../ports/state.ts';
import type { Storage, StorageKind, Storages } from '../../ports/storage.ts';
import { mustNotBeInUse } from '../files/in-use.ts';
import { findFile } from '../files/record-file.ts';
import type { DeleteItem, DeletePlan, DeleteSummary } from './contract.ts';

export interface DeleteDeps {
  storages: Storages;
  catalog(): Promise<Catalog>;
  state: State;
}

/**
 * Deletes what the plan says, one by one, with an event each. Record and file of an archive are deleted
 * together: the file within the transaction that removes the record. A missing file is fine; a file that
 * differs from the plan is kept (`BUSY`). Throws the combined error of all failures, including named items
 * that the plan keeps.
 */
export async function deletePlanned(
  deps: DeleteDeps,
  plan: DeletePlan,
  context: JobContext,
): Promise<DeleteSummary> {
  const started = performance.now();
  const { signal, emit } = context;
  const run = new DeleteRun(deps, context);
  const failures: Failure[] = [];
  let freed_bytes = 0;
  await run.saveRecord();
  try {
    emit('job:phase', { phase: 'Deleting' });
    for (const item of plan.items) {
      signal.throwIfAborted();
      emit('job:progress', { item: item.path ?? item.id });
      const error = item.refusal ?? (await attempt(() => run.delete(item), item, context));
      if (error) failures.push({ item: item.path ?? item.id, error });
      else freed_bytes += item.size_bytes;
      if (item.refusal) emitFailure(item, context, item.refusal);
    }
  } finally {
    await run.finish();
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
    emitFailure(item, context, error);
    return error;
  }
}

function emitFailure({ path, id }: DeleteItem, { emit }: JobContext, error: ErrorReport): void {
  emit('job:item', { item: path ?? id, ok: false, message: error.message, error });
}

/** One run, and the journal of what it is at. */
class DeleteRun {
  readonly #deps: DeleteDeps;
  readonly #context: JobContext;
  /** Archives whose deletion may be half done. */
  readonly #pending = new Set<string>();

  constructor(deps: DeleteDeps, context: JobContext) {
    this.#deps = deps;
    this.#context = context;
  }

  async saveRecord(): Promise<void> {
    const { id, now } = this.#context;
    const deleting = [...this.#pending].map((archive_id) => ({ archive_id }));
    await this.#deps.state.save({ id, kind: 'delete', started_at: now().toISOString(), deleting });
  }

  /** A pending deletion is completed by the recovery of a later process, which needs the job record. */
  async finish(): Promise<void> {
    if (this.#pending.size === 0) await this.#deps.state.remove(this.#context.id);
  }

  async delete(item: DeleteItem): Promise<string> {
    if (item.name !== null) await mustNotBeInUse(this.#deps.state, item.name, this.#context.id);
    if (item.kind === 'group') {
      const deleted = await (await this.#deps.catalog()).deleteGroup(item.id);
      return deleted ? 'deleted' : 'already deleted';
    }
    if (item.archive_id !== null) return this.#deleteArchive(item, item.archive_id);
    const kind = item.kind === 'backup' ? 'backups' : 'archives';
    return (await this.#removeFile(item, kind)) ? 'deleted' : 'already deleted';
  }

  async #deleteArchive(item: DeleteItem, archive_id: string): Promise<string> {
    const catalog = await this.#deps.catalog();
    await this.#mustBePlanned(catalog, item, archive_id);
    this.#pending.add(archive_id);
    await this.saveRecord();
    let removed: boolean | undefined;
    const remove = async () => {
      removed ??= await this.#removeFile(item, 'archives');
    };
    const deleted = await catalog.deleteArchive(archive_id, remove).catch((error: unknown) => {
      // With the file still there, nothing has changed. Otherwise the record must be deleted too.
      if (removed) return catalog.deleteArchive(archive_id, remove);
      return this.#closeIfKept(item, archive_id).then(() => Promise.reject(error));
    });
    if (!deleted) await remove();
    this.#pending.delete(archive_id);
    if (!deleted && !removed) return 'already deleted';
    return removed ? 'file and record deleted' : 'record deleted; the file was already missing';
  }

  /** A failed deletion is not pending if the file still exists. */
  async #closeIfKept({ name, storage_type }: DeleteItem, archive_id: string): Promise<void> {
    const storage = await this.#storage('archives', storage_type);
    if (name === null || (await storage.stat(name))) this.#pending.delete(archive_id);
  }

  /** The record may point to another file by now. */
  async #mustBePlanned(catalog: Catalog, item: DeleteItem, archive_id: string): Promise<void> {
    const { signal } = this.#context;
    const [record] = await catalog.archives({ ids: [archive_id] }, { signal });
    const found = record && (await findFile(this.#deps.storages, record, { signal }));
    if (!found || (found.storage.kind === item.storage_type && found.object.name === item.name)) return;
    throw changed();
  }

  /** False if there is no file. Must not be interrupted. */
  async #removeFile({ name, storage_type, size_bytes, modified_at }: DeleteItem, kind: StorageKind) {
    if (name === null) return false;
    const storage = await this.#storage(kind, storage_type);
    const object = await storage.stat(name);
    if (!object) return false;
    if (object.size_bytes !== size_bytes || object.modified_at !== modified_at) throw changed();
    return storage.delete(name);
  }

  async #storage(kind: StorageKind, type: DeleteItem['storage_type']): Promise<Storage> {
    const { storages } = this.#deps;
    const own = await storages[kind]();
    if (own.kind === type) return own;
    const other = type === 'disk' || type === 's3' ? await storages.storageOf(kind, type) : undefined;
    if (other) return other;
    throw new BifractError('NOT_FOUND', `Its storage (${type}) is no longer configured`, {
      hint: 'Set BIFRACT_S3_BUCKET in .env again; see docs/guide/storage.md.',
    });
  }
}

function changed(): BifractError {
  return new BifractError('BUSY', 'It changed after the plan was made', { hint: 'Run it again.' });
}
