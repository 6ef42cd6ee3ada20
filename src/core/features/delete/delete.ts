import { posix } from 'node:path';
import { BifractError } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import { combineRefusals } from '../../job/failures.ts';
import { forEachItem, type ItemOutcome } from '../../job/items.ts';
import { parseArchiveName } from '../../policy/names.ts';
import type { ArchiveRecord, Catalog } from '../../ports/catalog.ts';
import type { Services } from '../../ports/services.ts';
import type { Storage, StorageKind, Storages } from '../../ports/storage.ts';
import { LastBackupGuard } from '../backup/last-backup.ts';
import { byName } from '../files/archive-files.ts';
import { changed, deleteFile, plannedFile } from '../files/delete-file.ts';
import { mustNotBeInUse } from '../files/in-use.ts';
import { findFile } from '../files/record-file.ts';
import { type Located, mustNameOwnFile, pathOf } from '../files/target.ts';
import { proveArchive } from '../inspect/prove-archive.ts';
import type { DeleteItem, DeleteJobRequest, DeletePlan, DeleteSummary } from './contract.ts';
import { sharedFile, sharedFiles } from './plan-archive.ts';

const FAILED = 'could not be deleted';

type DeleteServices = Pick<Services, keyof Storages | 'catalog' | 'state' | 'keys' | 'now'>;

/**
 * Deletes what the plan says, one by one, with an event each. Record and file of an archive are deleted
 * together: the file within the transaction that removes the record. A missing file is fine. What the plan keeps is
 * kept, which is no failure unless it keeps everything. Kept, too, is a file that differs from the plan (`BUSY`) or is not
 * what it is taken for, and the last readable backup: that is a failure. Throws the combined error of all failures.
 */
export async function deletePlanned(
  services: DeleteServices,
  { plan }: DeleteJobRequest,
  context: JobContext,
): Promise<DeleteSummary> {
  const started = performance.now();
  const { emit } = context;
  const run = new DeleteRun(services, plan, context);
  const kept = plan.items.filter(({ action }) => action === 'keep').length;
  const deleted = plan.items.length - kept;
  let freed_bytes = 0;
  const deleteOne = async (item: DeleteItem): Promise<ItemOutcome> => {
    emit('job:progress', { item: nameOf(item) });
    if (item.refusal && deleted === 0) return { message: item.refusal.message, error: item.refusal };
    if (item.refusal) return { message: `kept: ${item.refusal.message}`, skipped: true };
    const message = await run.delete(item);
    freed_bytes += item.size_bytes;
    return { message };
  };
  await run.saveRecord();
  try {
    await run.trustPlan();
    emit('job:phase', { phase: 'Deleting' });
    await forEachItem(plan.items, { name: nameOf, failed: FAILED }, deleteOne, context);
  } finally {
    await run.finish();
  }
  const duration_ms = Math.round(performance.now() - started);
  return { deleted, kept, freed_bytes, duration_ms };
}

/** The error of the refused items of a plan, as that of the job; undefined if there are none. */
export function refusalOf({ items }: DeletePlan): BifractError | undefined {
  return combineRefusals(items, { name: nameOf, failed: FAILED });
}

function nameOf({ path, id }: DeleteItem): string {
  return path ?? id;
}

/** One run, and a record of what it is working on. */
class DeleteRun {
  readonly #services: DeleteServices;
  readonly #plan: DeletePlan;
  readonly #context: JobContext;
  readonly #guard: LastBackupGuard;
  #shared: Set<string> | undefined;
  /** Archives whose deletion may be half done. */
  readonly #pending = new Set<string>();

  constructor(services: DeleteServices, plan: DeletePlan, context: JobContext) {
    this.#services = services;
    this.#plan = plan;
    this.#context = context;
    const { last_backup } = plan;
    const isDoomed = ({ storage, object }: Located) =>
      plan.items.some(({ action, path }) => action === 'delete' && path === pathOf(storage, object.name));
    this.#guard = new LastBackupGuard(services, { signal: context.signal, last_backup, isDoomed });
  }

  /** The backup that planning has read in full need not be read again. */
  async trustPlan(): Promise<void> {
    const { proven } = this.#plan.backups_left ?? {};
    if (!proven || proven.name === null) return;
    const storage = await this.#storage('backups', proven.storage_type);
    const { signal } = this.#context;
    const object = await plannedFile(storage, { ...proven, name: proven.name }, { signal }).catch(
      () => undefined,
    );
    signal.throwIfAborted();
    if (object) this.#guard.proven({ storage, object });
  }

  async saveRecord(): Promise<void> {
    const { id, now } = this.#context;
    const deleting = [...this.#pending].map((archive_id) => ({ archive_id }));
    await this.#services.state.save({ id, kind: 'delete', started_at: now().toISOString(), deleting });
  }

  /** A pending deletion is completed by the recovery of a later process, which needs the job record. */
  async finish(): Promise<void> {
    if (this.#pending.size === 0) await this.#services.state.remove(this.#context.id);
  }

  async delete(item: DeleteItem): Promise<string> {
    if (item.name !== null) await mustNotBeInUse(this.#services.state, item.name, this.#context.id);
    if (item.kind === 'group') {
      const deleted = await (await this.#services.catalog()).deleteGroup(item.id);
      return deleted ? 'deleted' : 'already deleted';
    }
    if (item.archive_id !== null) return this.#deleteArchive(item, item.archive_id);
    const deleted = item.kind === 'backup' ? this.#removeBackup(item) : this.#removeArchive(item, undefined);
    return (await deleted) ? 'deleted' : 'already deleted';
  }

  async #deleteArchive(item: DeleteItem, archive_id: string): Promise<string> {
    const catalog = await this.#services.catalog();
    const record = await this.#plannedRecord(catalog, item, archive_id);
    this.#pending.add(archive_id);
    await this.saveRecord();
    let removed: boolean | undefined;
    const remove = async () => {
      removed ??= await this.#removeArchive(item, record);
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

  /** The record, if it is still there; it may point to another file by now. */
  async #plannedRecord(
    catalog: Catalog,
    item: DeleteItem,
    archive_id: string,
  ): Promise<ArchiveRecord | undefined> {
    const { signal } = this.#context;
    const [record] = await catalog.archives({ ids: [archive_id] }, { signal });
    if (!record) return undefined;
    mustNameOwnFile(record);
    const found = await findFile(this.#services, record, { signal });
    if (!found) return record;
    if (found.storage.kind !== item.storage_type || found.object.name !== item.name) throw changed();
    this.#shared ??= sharedFiles(await catalog.archives({}, { signal }));
    if (this.#shared.has(found.object.name)) throw sharedFile();
    return record;
  }

  /** False if there is no file. Must not be interrupted. */
  async #removeArchive(item: DeleteItem, record: ArchiveRecord | undefined): Promise<boolean> {
    if (item.name === null) return false;
    if (!record) await this.#mustHaveNoRecord(item.name);
    const storage = await this.#storage('archives', item.storage_type);
    const fractal_id = record?.fractal_id ?? parseArchiveName(posix.basename(item.name))?.fractal_id ?? '';
    return deleteFile(storage, { ...item, name: item.name }, async (object) =>
      proveArchive({ storage, object }, { fractal_id, record }, await this.#services.keys()),
    );
  }

  /** Another job may have adopted a file that had no record, or has lost it since. */
  async #mustHaveNoRecord(name: string): Promise<void> {
    const { signal } = this.#context;
    const records = await (await this.#services.catalog()).archives({}, { signal });
    if (byName(records).has(name)) throw changed();
  }

  async #removeBackup(item: DeleteItem): Promise<boolean> {
    if (item.name === null) return false;
    const storage = await this.#storage('backups', item.storage_type);
    return deleteFile(storage, { ...item, name: item.name }, async (object) => {
      const { created_at } = await this.#guard.mustNotBeLast({ storage, object });
      if (created_at !== item.created_at) throw changed();
    });
  }

  async #storage(kind: StorageKind, type: DeleteItem['storage_type']): Promise<Storage> {
    const own = await this.#services[kind]();
    if (own.kind === type) return own;
    const other = type === 'disk' || type === 's3' ? await this.#services.storageOf(kind, type) : undefined;
    if (other) return other;
    throw new BifractError('NOT_FOUND', `Its storage (${type}) is no longer configured`, {
      hint: 'Set BIFRACT_S3_BUCKET in .env again; see docs/guide/storage.md.',
    });
  }
}
