import { asBifractError, BifractError } from '../../contract/errors.ts';
import type { ArchiveRecord, Catalog } from '../../ports/catalog.ts';
import type { Key } from '../../ports/key.ts';
import type { State } from '../../ports/state.ts';
import type { Storages } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { RECORD_ID } from '../files/target.ts';
import type { DeleteItem, DeletePlan, DeleteTarget } from './contract.ts';
import { blankItem, refused } from './item.ts';
import { archiveFileItem, archiveItem } from './plan-archive.ts';
import { backupItem, keepLast } from './plan-backup.ts';

export interface PlanDeleteDeps {
  storages: Storages;
  /** Used only for archives and groups. */
  catalog(): Promise<Catalog>;
  keys(): Promise<readonly Key[]>;
  state: State;
  now: Date;
  /** Id of the plan. */
  id: string;
}

export interface PlanDeleteOptions extends CallOptions {
  last_backup?: boolean;
}

/** Plans a deletion; see `DeletionQueries`. */
export async function planDelete(
  deps: PlanDeleteDeps,
  targets: readonly DeleteTarget[],
  options: PlanDeleteOptions = {},
): Promise<DeletePlan> {
  if (targets.length === 0)
    throw new BifractError('USAGE', 'No targets given', {
      hint: 'Name backups, archives or groups.',
    });
  const found = new Map<string, DeleteItem>();
  for (const target of targets) {
    for (const item of await itemsOf(deps, target, options)) found.set(`${item.kind} ${item.id}`, item);
  }
  const items = [...found.values()];
  const backups_left = items.some(({ kind }) => kind === 'backup')
    ? await keepLast(deps, items, options)
    : null;
  await addLastArchiveNotes(deps, items, options);
  const freed_bytes = items.reduce(
    (sum, { action, size_bytes }) => sum + (action === 'delete' ? size_bytes : 0),
    0,
  );
  return freeze({ id: deps.id, planned_at: deps.now.toISOString(), items, freed_bytes, backups_left });
}

/** A target that cannot be found or deleted becomes a kept item, so that the others proceed. */
async function itemsOf(
  deps: PlanDeleteDeps,
  target: DeleteTarget,
  options: CallOptions,
): Promise<DeleteItem[]> {
  try {
    if (target.kind === 'backup') return [await backupItem(deps, target.id, options)];
    if (target.kind === 'group') return await groupItems(deps, target.id, options);
    if (!RECORD_ID.test(target.id)) return [await archiveFileItem(deps, target.id, options)];
    const [record] = await (await deps.catalog()).archives({ ids: [target.id] }, options);
    if (record) return [await archiveItem(deps, record, options)];
    throw new BifractError('NOT_FOUND', `Archive not found: ${target.id}`, {
      hint: 'See `bifract list archives`.',
    });
  } catch (thrown) {
    options.signal?.throwIfAborted();
    const error = asBifractError(thrown);
    if (!['NOT_FOUND', 'USAGE'].includes(error.code)) throw error;
    return [refused({ ...blankItem(target), title: target.id }, error)];
  }
}

async function groupItems(deps: PlanDeleteDeps, id: string, options: CallOptions): Promise<DeleteItem[]> {
  const catalog = await deps.catalog();
  const group = RECORD_ID.test(id) && (await catalog.groups({}, options)).find((one) => one.id === id);
  if (!group)
    throw new BifractError('NOT_FOUND', `Group not found: ${id}`, {
      hint: '`bifract list archives --json` shows the group of each archive.',
    });
  const records = (await catalog.archives({ fractal_id: group.fractal_id }, options)).filter(
    ({ group_id }) => group_id === id,
  );
  if (records.length === 0) {
    const { created_at } = group;
    return [{ ...blankItem({ kind: 'group', id }), title: 'Group without archives', created_at }];
  }
  return Promise.all(records.map((record) => archiveItem(deps, record, options)));
}

/** Notes which fractals will have no archive left, and which groups are deleted with their last archive. */
async function addLastArchiveNotes(
  deps: PlanDeleteDeps,
  items: DeleteItem[],
  options: CallOptions,
): Promise<void> {
  const to_delete = new Set(
    items.flatMap(({ action, archive_id }) => (action === 'delete' && archive_id ? [archive_id] : [])),
  );
  if (to_delete.size === 0) return;
  const records = await (await deps.catalog()).archives({}, options);
  const left = records.filter(({ id }) => !to_delete.has(id));
  for (const item of items.filter(({ archive_id }) => archive_id !== null && to_delete.has(archive_id))) {
    const record = records.find(({ id }) => id === item.archive_id);
    if (record) item.notes.push(...lastArchiveNotes(record, left));
  }
}

function lastArchiveNotes(
  { status, group_id, fractal_id, fractal_name }: ArchiveRecord,
  left: ArchiveRecord[],
): string[] {
  const last =
    status === 'completed' &&
    !left.some((one) => one.fractal_id === fractal_id && one.status === 'completed');
  const alone = group_id !== null && !left.some((one) => one.group_id === group_id);
  return [
    ...(last ? [`No archive of ${fractal_name} will be left.`] : []),
    ...(alone ? ['Its group will be deleted too.'] : []),
  ];
}

function freeze(plan: DeletePlan): DeletePlan {
  for (const item of plan.items) {
    Object.freeze(item.notes);
    Object.freeze(item);
  }
  Object.freeze(plan.items);
  return Object.freeze(plan);
}
