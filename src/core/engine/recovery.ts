import { BifractError } from '../contract/errors.ts';
import { belongsTo } from '../features/files/in-use.ts';
import { allStorages } from '../features/files/record-file.ts';
import { isBifractName } from '../policy/names.ts';
import type { Services } from '../ports/services.ts';
import type { JobRecord, State } from '../ports/state.ts';
import type { CallOptions } from '../ports/types.ts';
import { type JobRequest, jobTypeOf } from './jobs.ts';

/**
 * Recovers from interrupted jobs, one process at a time: removes unfinished objects, then lets each kind of job clean
 * up as its record tells. Jobs that can be resumed, by `request` or later, keep their records and unfinished objects.
 * Returns one sentence per action.
 */
export async function recover(
  services: Services,
  { request, ...options }: CallOptions & { request?: JobRequest } = {},
): Promise<string[]> {
  // A failure here shows up when the first record is written.
  await services.state.cleanUp().catch(() => undefined);
  if ((await interruptedRecords(services.state)).length === 0) return [];
  return services.state.exclusive(async () => {
    const records = await interruptedRecords(services.state);
    const resumable = await resumableRecords(services, records, request, options);
    const done = await removeUnfinished(services, records, resumable, options);
    for (const record of records)
      done.push(...(await recoverJob(services, record, { ...options, resumable: resumable.has(record) })));
    return done;
  }, options);
}

/** Records of jobs whose process ended, or that ended early and left the rest to a later job. Oldest first. */
export async function interruptedRecords(state: State): Promise<JobRecord[]> {
  const left = (await state.running()).filter(({ restoring }) => restoring?.left);
  return [...(await state.interrupted()), ...left].sort((a, b) => (a.started_at < b.started_at ? -1 : 1));
}

async function resumableRecords(
  services: Services,
  records: readonly JobRecord[],
  request: JobRequest | undefined,
  options: CallOptions,
): Promise<Set<JobRecord>> {
  const resumable = new Set<JobRecord>();
  for (const record of records) {
    const own = request?.kind === record.kind ? request : undefined;
    const type = jobTypeOf(record);
    if (await type?.resumable?.(services, record, { ...options, request: own })) resumable.add(record);
  }
  return resumable;
}

async function removeUnfinished(
  services: Services,
  records: readonly JobRecord[],
  resumable: ReadonlySet<JobRecord>,
  options: CallOptions,
): Promise<string[]> {
  const done: string[] = [];
  const running = await services.state.running();
  const abandoned = records.filter((record) => !resumable.has(record));
  const reused = new Set([...resumable].flatMap(({ archive }) => archive?.leftovers ?? []));
  for (const storage of await allStorages(services)) {
    // What the storage cannot read back is of no use for resuming.
    const writers = storage.readUnfinished ? abandoned : records;
    for await (const unfinished of storage.listUnfinished(options)) {
      // A bucket may be shared: ignore names that are not from this program.
      if (!isBifractName(unfinished.name) || reused.has(unfinished.id)) continue;
      if (!writers.some((record) => belongsTo(record, unfinished))) continue;
      // A running job may have restarted what an interrupted one was writing.
      if (running.some((record) => belongsTo(record, unfinished))) continue;
      await storage.discardUnfinished(unfinished, options);
      done.push(`Removed unfinished file ${unfinished.name}`);
    }
  }
  return done;
}

/** Other jobs do not depend on it: if it fails, for example on an unreachable server, a later recovery tries again. */
async function recoverJob(
  services: Services,
  record: JobRecord,
  options: CallOptions & { resumable: boolean },
): Promise<string[]> {
  try {
    const done = (await jobTypeOf(record)?.recover?.(services, record, options)) ?? [];
    if (!options.resumable) await services.state.remove(record.id);
    return done;
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof BifractError) return [];
    throw error;
  }
}
