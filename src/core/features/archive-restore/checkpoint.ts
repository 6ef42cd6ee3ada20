import { createHash } from 'node:crypto';
import type { JobContext } from '../../job/context.ts';
import type { ArchiveRestoreCheckpoint } from '../../ports/archive-restore-checkpoint.ts';
import type { JobRecord, State } from '../../ports/state.ts';
import type { ArchiveRestorePlan } from './contract.ts';

/** Prefix of all staging tables. */
const PREFIX = 'bifract_restore_';

/** Identical for two plans of the same request on the same files. */
export function restoreKey({ files, into, from, to, via, replace }: ArchiveRestorePlan): string {
  const sources = files.map(({ archive_id, path, size_bytes }) => [archive_id ?? path, size_bytes]);
  const identity = JSON.stringify([sources, into.id, from, to, via, replace]);
  return createHash('sha256').update(identity).digest('hex');
}

/** The checkpoint of one restore: saved with its job record, durable once `save` resolves. */
export class RestoreCheckpoint {
  readonly data: ArchiveRestoreCheckpoint;
  /** Whether it resumes an earlier job. */
  readonly resumed: boolean;
  readonly #state: State;
  readonly #job: JobRecord;

  private constructor(state: State, job: JobRecord, data: ArchiveRestoreCheckpoint, resumed: boolean) {
    this.#state = state;
    this.#job = job;
    this.data = data;
    this.resumed = resumed;
  }

  /** Creates a checkpoint, or resumes that of an interrupted job of the same request. */
  static async open(
    state: State,
    plan: ArchiveRestorePlan,
    { id, now }: Pick<JobContext, 'id' | 'now'>,
  ): Promise<RestoreCheckpoint> {
    const key = restoreKey(plan);
    const unfinished = (await unfinishedRestores(state)).filter(({ restoring }) => restoring?.key === key);
    const last = unfinished.at(-1)?.restoring;
    const data = last ? { ...last, plan, left: false } : newCheckpoint(key, plan, id);
    const job: JobRecord = { id, kind: 'restore-archive', started_at: now().toISOString() };
    const checkpoint = new RestoreCheckpoint(state, job, data, last !== undefined);
    await checkpoint.save();
    for (const record of unfinished) await state.remove(record.id);
    return checkpoint;
  }

  /** Takes over the checkpoint of an interrupted job under another id. */
  static async adopt(
    state: State,
    unfinished: JobRecord & { restoring: ArchiveRestoreCheckpoint },
    id: string,
  ): Promise<RestoreCheckpoint> {
    const { kind, started_at, restoring } = unfinished;
    const checkpoint = new RestoreCheckpoint(
      state,
      { id, kind, started_at },
      { ...restoring, left: false },
      true,
    );
    await checkpoint.save();
    await state.remove(unfinished.id);
    return checkpoint;
  }

  async save(values: Partial<ArchiveRestoreCheckpoint> = {}): Promise<void> {
    Object.assign(this.data, values);
    await this.#state.save({ ...this.#job, restoring: this.data });
  }

  async remove(): Promise<void> {
    await this.#state.remove(this.#job.id);
  }
}

/** Records of unfinished restores, the newest last. */
export async function unfinishedRestores(state: State): Promise<JobRecord[]> {
  const running = (await state.running()).filter(({ restoring }) => restoring?.left);
  return [...(await state.interrupted()), ...running]
    .filter(({ restoring }) => restoring !== undefined)
    .sort((a, b) => (a.started_at < b.started_at ? -1 : 1));
}

/** Archives locked only by unfinished restores. */
export async function staleLocks(state: State): Promise<Set<string>> {
  const archiveIds = (jobs: JobRecord[]) => jobs.flatMap(({ restoring }) => restoring?.archive_ids ?? []);
  const running = new Set(archiveIds((await state.running()).filter(({ restoring }) => !restoring?.left)));
  return new Set(archiveIds(await unfinishedRestores(state)).filter((id) => !running.has(id)));
}

function newCheckpoint(key: string, plan: ArchiveRestorePlan, id: string): ArchiveRestoreCheckpoint {
  return {
    key,
    plan,
    phase: plan.via === 'direct' ? 'staging' : 'sending',
    archive_ids: [],
    prefix: `${PREFIX}${id.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')}_`,
    tables: [],
    files: [],
    cutoff_ms: null,
    removed: 0,
    partitions: [],
    moving: null,
    sent: null,
  };
}
