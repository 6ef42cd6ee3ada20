import { asBifractError, BifractError } from '../errors.ts';
import { type Key, keyId } from '../format/index.ts';
import type { Catalog } from '../ports/catalog.ts';
import type { JobNote, State } from '../ports/state.ts';
import type { Storage } from '../ports/storage.ts';
import type { RotateItem, RotatePlan } from '../upkeep.ts';
import type { JobContext } from './context.ts';
import { combine, type Failure } from './failures.ts';
import { finishRekey, recordOf, rekey, updateRecord } from './rekey.ts';

export interface RotateDeps {
  backups: Storage;
  archives: Storage;
  catalog(): Promise<Catalog>;
  state: State;
  /** The current key and those before it. */
  keys(): Promise<Key[]>;
  /** Writes a new key to `.env`, the one so far among those before it; `keys` tells it from then on. */
  replaceKey(): Promise<void>;
}

type OpenFile = NonNullable<JobNote['rekey']>[number];

export interface RotateSummary {
  key_id: string;
  files: number;
  size_bytes: number;
  duration_ms: number;
}

/**
 * Puts a new key in the place of the current one, then every file under it, one by one. Each file is readable at every
 * moment: under the old key, which stays among those for reading, or under the new one. What fails stays as it was; the
 * same call goes on with it.
 */
export async function rotateKey(
  deps: RotateDeps,
  plan: RotatePlan,
  context: JobContext,
): Promise<RotateSummary> {
  const started = performance.now();
  const { id, now, emit, signal } = context;
  const open: OpenFile[] = [];
  await begin(deps.state, context);
  try {
    await mustBeCurrent(deps, plan);
    if (!plan.resumes) await deps.replaceKey();
    const items = plan.items.filter(({ action }) => action === 'reencrypt');
    const total_bytes = items.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
    const failures: Failure[] = [];
    let bytes_in = 0;
    emit('job:phase', { phase: 'Writing files under the new key' });
    for (const item of items) {
      signal.throwIfAborted();
      emit('job:progress', { item: item.name, bytes_in, total_bytes });
      open.push({ place: item.place, name: item.name });
      await deps.state.note({ id, kind: 'rotate-key', started_at: now().toISOString(), rekey: open });
      const failure = await one(deps, item, context);
      if (failure) failures.push(failure);
      if (failure === undefined || (await isSettled(deps, item))) open.pop();
      bytes_in += item.size_bytes;
    }
    emit('job:progress', { bytes_in, total_bytes });
    const error = combine(failures, items.length, 'files stay under the old key');
    if (error) throw error;
    const [key] = await deps.keys();
    const duration_ms = Math.round(performance.now() - started);
    return { key_id: key ? keyId(key) : '', files: items.length, size_bytes: bytes_in, duration_ms };
  } finally {
    // What is still open is ended by the next job of a later process: its note must stay.
    if (open.length === 0 || (await allSettled(deps, open))) await deps.state.forget(id);
  }
}

async function allSettled(deps: RotateDeps, files: OpenFile[]): Promise<boolean> {
  for (const file of files) if (!(await isSettled(deps, file))) return false;
  return true;
}

/**
 * Whether a file that failed has its name again, and nothing else of it is left: tried once more where it has not. Of an
 * archive the record may be missing as well, which only a later process can tell.
 */
async function isSettled(deps: RotateDeps, { place, name }: OpenFile): Promise<boolean> {
  if (place === 'archives') return false;
  return finishRekey(deps[place], name).then(
    () => true,
    () => false,
  );
}

async function begin(state: State, { id, now }: JobContext): Promise<void> {
  await state.note({ id, kind: 'rotate-key', started_at: now().toISOString() });
  const other = (await state.live()).find((note) => note.kind === 'rotate-key' && note.id !== id);
  if (!other) return;
  await state.forget(id);
  throw new BifractError('BUSY', `The job ${other.id} rotates the key already`, {
    hint: 'Wait for its end.',
  });
}

/** A plan of before another rotation would make one key too many. */
async function mustBeCurrent({ keys }: RotateDeps, plan: RotatePlan): Promise<void> {
  const [current] = await keys();
  if (current && keyId(current) === plan.current_key_id) return;
  throw new BifractError('BUSY', 'The key has changed since the rotation was planned', {
    hint: 'Plan it again.',
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
    if (!object) throw new BifractError('NOT_FOUND', 'It is gone', { hint: 'Plan it again.' });
    const keys = await deps.keys();
    const file = await rekey(storage, object, { keys, key: keys[0] as Key, job: id }, { signal });
    // From here on the file is the new one: its record follows, whatever else is asked for.
    if (catalog && record) await updateRecord(catalog, name, file, {});
    emit('job:item', { item: name, ok: true, message: 'under the new key' });
    return undefined;
  } catch (thrown) {
    signal.throwIfAborted();
    const error = asBifractError(thrown).report();
    emit('job:item', { item: name, ok: false, message: error.message, error });
    return { item: name, error };
  }
}
