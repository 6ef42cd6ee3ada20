import { asBifractError, BifractError } from '../../contract/errors.ts';
import { keyId } from '../../format/index.ts';
import type { JobContext } from '../../job/context.ts';
import { combine, type Failure } from '../../job/failures.ts';
import type { Catalog } from '../../ports/catalog.ts';
import type { Key } from '../../ports/key.ts';
import type { JobRecord, State } from '../../ports/state.ts';
import type { Storage } from '../../ports/storage.ts';
import type { RotateItem, RotatePlan, RotateSummary } from './contract.ts';
import { recordOf, recoverRekey, rekey, updateRecord } from './rekey.ts';

export interface RotateDeps {
  backups: Storage;
  archives: Storage;
  catalog(): Promise<Catalog>;
  state: State;
  /** The current key, then older ones. */
  keys(): Promise<Key[]>;
  /** Writes a new key to `.env` and keeps the old one for reading; `keys` returns it from then on. */
  replaceKey(): Promise<void>;
}

type PendingFile = NonNullable<JobRecord['rekey']>[number];

/**
 * Replaces the current key, then re-encrypts all files one by one. Every file stays readable at all times,
 * with the old key or the new one. A failed file stays unchanged; running it again continues with it.
 */
export async function rotateKey(
  deps: RotateDeps,
  plan: RotatePlan,
  context: JobContext,
): Promise<RotateSummary> {
  const started = performance.now();
  const { id, now, emit, signal } = context;
  const pending: PendingFile[] = [];
  await registerJob(deps.state, context);
  try {
    await mustBeCurrent(deps, plan);
    if (!plan.resumes) await deps.replaceKey();
    const items = plan.items.filter(({ action }) => action === 'reencrypt');
    const total_bytes = items.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
    const failures: Failure[] = [];
    let bytes_in = 0;
    emit('job:phase', { phase: 'Re-encrypting files' });
    for (const item of items) {
      signal.throwIfAborted();
      emit('job:progress', { item: item.name, bytes_in, total_bytes });
      pending.push({ place: item.place, name: item.name });
      await deps.state.save({ id, kind: 'rotate-key', started_at: now().toISOString(), rekey: pending });
      const failure = await one(deps, item, context);
      if (failure) failures.push(failure);
      if (failure === undefined || (await isRecovered(deps, item))) pending.pop();
      bytes_in += item.size_bytes;
    }
    emit('job:progress', { bytes_in, total_bytes });
    const error = combine(failures, items.length, 'files could not be re-encrypted');
    if (error) throw error;
    const [key] = await deps.keys();
    const duration_ms = Math.round(performance.now() - started);
    return { key_id: key ? keyId(key) : '', files: items.length, size_bytes: bytes_in, duration_ms };
  } finally {
    // Pending files are recovered by a later process, which needs the job record.
    if (pending.length === 0 || (await allRecovered(deps, pending))) await deps.state.remove(id);
  }
}

async function allRecovered(deps: RotateDeps, files: PendingFile[]): Promise<boolean> {
  for (const file of files) if (!(await isRecovered(deps, file))) return false;
  return true;
}

/**
 * Whether a failed file has its name again and no temporary file is left; retried once. The record of an
 * archive may be missing as well, which only recovery can tell.
 */
async function isRecovered(deps: RotateDeps, { place, name }: PendingFile): Promise<boolean> {
  if (place === 'archives') return false;
  return recoverRekey(deps[place], name).then(
    () => true,
    () => false,
  );
}

async function registerJob(state: State, { id, now }: JobContext): Promise<void> {
  await state.save({ id, kind: 'rotate-key', started_at: now().toISOString() });
  const other = (await state.running()).find((record) => record.kind === 'rotate-key' && record.id !== id);
  if (!other) return;
  await state.remove(id);
  throw new BifractError('BUSY', `Job ${other.id} is already rotating the key`, {
    hint: 'Wait until it has ended.',
  });
}

/** An outdated plan would create one key too many. */
async function mustBeCurrent({ keys }: RotateDeps, plan: RotatePlan): Promise<void> {
  const [current] = await keys();
  if (current && keyId(current) === plan.current_key_id) return;
  throw new BifractError('BUSY', 'The key changed after the rotation was planned', {
    hint: 'Run it again.',
  });
}

async function one(deps: RotateDeps, item: RotateItem, context: JobContext): Promise<Failure | undefined> {
  const { place, name } = item;
  const { signal, emit, id } = context;
  try {
    const catalog = place === 'archives' ? await deps.catalog() : undefined;
    const record = catalog && (await recordOf(catalog, name, { signal }));
    const storage = deps[place];
    const object = await storage.stat(name, { signal });
    if (!object) throw new BifractError('NOT_FOUND', 'The file no longer exists', { hint: 'Run it again.' });
    const keys = await deps.keys();
    const file = await rekey(storage, object, { keys, key: keys[0] as Key, job: id }, { signal });
    // The file is replaced: its record must follow, even after a cancel.
    if (catalog && record) await updateRecord(catalog, name, file, {});
    emit('job:item', { item: name, ok: true, message: 're-encrypted' });
    return undefined;
  } catch (thrown) {
    signal.throwIfAborted();
    const error = asBifractError(thrown).report();
    emit('job:item', { item: name, ok: false, message: error.message, error });
    return { item: name, error };
  }
}
