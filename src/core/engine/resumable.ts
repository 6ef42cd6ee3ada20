import type { Services } from '../ports/services.ts';
import type { JobRecord } from '../ports/state.ts';
import type { CallOptions } from '../ports/types.ts';
import { jobTypeOf } from './jobs.ts';
import { interruptedRecords } from './leftovers.ts';

/** The ids by which interrupted work that can be resumed is known: of its job, its archives and their group. */
export async function resumableIds(services: Services, { signal }: CallOptions = {}): Promise<string[]> {
  const ids: string[] = [];
  for (const record of await interruptedRecords(services.state)) {
    const type = jobTypeOf(record);
    if (!type?.resumeRequest || !type.resumable) continue;
    if (await type.resumable(services, record, { signal })) ids.push(...idsOf(record));
  }
  return [...new Set(ids)];
}

/** The ids by which the work of a job is known. */
export function idsOf({ id, archive_id, archive, restoring }: JobRecord): string[] {
  const ids = [id, archive_id, archive?.group_id, ...(restoring?.archive_ids ?? [])];
  return ids.filter((one) => one !== undefined);
}
