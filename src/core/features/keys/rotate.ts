import { BifractError } from '../../contract/errors.ts';
import { keyId } from '../../format/index.ts';
import type { JobContext } from '../../job/context.ts';
import { forEachItem, type ItemOutcome } from '../../job/items.ts';
import type { Key } from '../../ports/key.ts';
import type { Services } from '../../ports/services.ts';
import type { JobRecord, State } from '../../ports/state.ts';
import { knownBackup } from '../backup/known-backups.ts';
import { plannedFile } from '../files/delete-file.ts';
import type { Located } from '../files/target.ts';
import { proveArchive } from '../inspect/prove-archive.ts';
import type { RotateItem, RotatePlan, RotateRequest, RotateSummary } from './contract.ts';
import { recordOf, recoverRekey, rekey, updateRecord } from './rekey.ts';

type RotateServices = Pick<
  Services,
  'backups' | 'archives' | 'catalog' | 'state' | 'keys' | 'replaceKey' | 'now'
>;
type PendingFile = NonNullable<JobRecord['rekey']>[number];

/**
 * Replaces the current key, then re-encrypts all files one by one. Every file stays readable at all times,
 * with the old key or the new one. A failed file stays unchanged; running it again continues with it.
 */
export async function rotateKey(
  services: RotateServices,
  { plan }: RotateRequest,
  context: JobContext,
): Promise<RotateSummary> {
  const started = performance.now();
  const { id, now, emit, signal } = context;
  const items = plan.items.filter(({ action, error }) => action === 'reencrypt' || error);
  const total_bytes = items.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
  let bytes_in = 0;
  const pending: PendingFile[] = [];
  const rotateOne = async (item: RotateItem): Promise<ItemOutcome> => {
    const { place, name, size_bytes, error } = item;
    if (error) return { message: error.message, error };
    emit('job:progress', { item: name, bytes_in, total_bytes });
    bytes_in += size_bytes;
    pending.push({ place, name });
    await services.state.save({ id, kind: 'rotate-key', started_at: now().toISOString(), rekey: pending });
    try {
      await reencrypt(services, item, context);
    } catch (error) {
      if (!signal.aborted && (await isRecovered(services, item))) pending.pop();
      throw error;
    }
    pending.pop();
    return { message: 're-encrypted' };
  };
  await registerJob(services.state, context);
  try {
    await mustBeCurrent(services, plan);
    if (!plan.resumes) await services.replaceKey();
    emit('job:phase', { phase: 'Re-encrypting files' });
    const text = { name: ({ name }: RotateItem) => name, failed: 'files could not be re-encrypted' };
    await forEachItem(items, text, rotateOne, context);
    emit('job:progress', { bytes_in, total_bytes });
    const [key] = await services.keys();
    const duration_ms = Math.round(performance.now() - started);
    const skipped = plan.items.filter(({ action }) => action === 'skip').length;
    return { key_id: key ? keyId(key) : '', files: items.length, skipped, size_bytes: bytes_in, duration_ms };
  } finally {
    // Pending files are recovered by a later process, which needs the job record.
    if (await allRecovered(services, pending)) await services.state.remove(id);
  }
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
async function mustBeCurrent(services: Pick<Services, 'keys'>, plan: RotatePlan): Promise<void> {
  const [current] = await services.keys();
  if (current && keyId(current) === plan.current_key_id) return;
  throw new BifractError('BUSY', 'The key changed after the rotation was planned', {
    hint: 'Run it again.',
  });
}

async function reencrypt(
  services: RotateServices,
  item: RotateItem,
  { id, signal }: JobContext,
): Promise<void> {
  const { place, name } = item;
  const catalog = place === 'archives' ? await services.catalog() : undefined;
  const record = catalog && (await recordOf(catalog, name, { signal }));
  const storage = await services[place]();
  const object = await plannedFile(storage, item, { signal });
  if (!object) throw new BifractError('NOT_FOUND', 'The file no longer exists', { hint: 'Run it again.' });
  const keys = await services.keys();
  if (place === 'backups') await mustBeBackup(services, { storage, object });
  else await proveArchive({ storage, object }, { fractal_id: folderOf(name), record }, keys, { signal });
  const file = await rekey(storage, object, { keys, key: keys[0] as Key, job: id }, { signal });
  // The file is replaced: its record must follow, even after a cancel.
  if (catalog && record) await updateRecord(catalog, name, file, {});
}

/** The fractal of an archive path. */
function folderOf(name: string): string {
  return name.split('/')[1] ?? '';
}

async function mustBeBackup(services: RotateServices, file: Located): Promise<void> {
  const reader = { keys: await services.keys(), now: services.now() };
  const { error } = await knownBackup(file, reader, {});
  if (error) throw error;
}

async function allRecovered(services: RotateServices, files: PendingFile[]): Promise<boolean> {
  for (const file of files) if (!(await isRecovered(services, file))) return false;
  return true;
}

/**
 * Whether a failed file has its name again and no temporary file is left; retried once. The record of an
 * archive may be missing as well, which only recovery can tell.
 */
async function isRecovered(services: RotateServices, { place, name }: PendingFile): Promise<boolean> {
  if (place === 'archives') return false;
  return recoverRekey(await services[place](), name).then(
    () => true,
    () => false,
  );
}
