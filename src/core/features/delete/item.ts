import { asBifractError, type BifractError } from '../../contract/errors.ts';
import type { Services } from '../../ports/services.ts';
import type { Storages } from '../../ports/storage.ts';
import { mustNotBeInUse } from '../files/in-use.ts';
import { type Located, pathOf } from '../files/target.ts';
import type { DeleteItem, DeleteTarget } from './contract.ts';

/** What planning needs: the catalog only for archives and groups, the keys only for backups. */
export type PlanDeleteServices = Pick<Services, keyof Storages | 'catalog' | 'keys' | 'state' | 'now'>;

/** An item before anything is known about it. */
export function blankItem({ kind, id }: DeleteTarget): DeleteItem {
  const file = { storage_type: null, name: null, path: null, size_bytes: 0, modified_at: null };
  const record = { archive_id: null, created_at: null };
  return { kind, id, title: id, ...file, ...record, action: 'delete', refusal: null, notes: [] };
}

/** The item, kept with a reason. */
export function refused(item: DeleteItem, error: BifractError): DeleteItem {
  return { ...item, action: 'keep', refusal: error.report() };
}

/** What the plan records of a file, to recognize it later. */
export function fileOf({ storage, object }: Located) {
  const { name, size_bytes, modified_at } = object;
  return { storage_type: storage.kind, name, path: pathOf(storage, name), size_bytes, modified_at };
}

/** The item, kept if its file is in use or the check throws `BUSY`. */
export async function idleOrRefused(
  { state }: Pick<Services, 'state'>,
  item: DeleteItem,
  check: () => void = () => undefined,
): Promise<DeleteItem> {
  try {
    check();
    if (item.name !== null) await mustNotBeInUse(state, item.name);
    return item;
  } catch (error) {
    const refusal = asBifractError(error);
    if (refusal.code !== 'BUSY') throw refusal;
    return refused(item, refusal);
  }
}
