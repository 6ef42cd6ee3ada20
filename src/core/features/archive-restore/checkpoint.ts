import { createHash } from 'node:crypto';
import { BifractError } from '../../contract/errors.ts';
import type { RowRange } from '../../format/index.ts';
import type { JobContext } from '../../job/context.ts';
import type { JobRecord, RestoringRecord, State } from '../../ports/state.ts';
import type { ArchiveRestoreFile, ArchiveRestorePlan } from './contract.ts';

/** A staging table with some of a file's rows, all of them written and counted. */
interface StagedTable {
  name: string;
  /** Index of the file in the plan. */
  file: number;
  rows: number;
}

/** The rows of the files compared with those of the target. */
export interface ComparedRows {
  /** Time range of the rows; null if there are none. */
  within: RowRange | null;
  /** Time ranges, sorted, that contain all rows that the target may lack. All others were there. */
  differing: RowRange[];
}

/**
 * How far a restore of archives has come: what a later run needs to resume it or to clean up. Records only what has
 * happened.
 */
export interface ArchiveRestoreCheckpoint extends RestoringRecord {
  /** Identical for the same request: a later run resumes this one. */
  key: string;
  plan: ArchiveRestorePlan;
  /**
   * `staging` changes only its own tables, and can be dropped. From `removing` on, all rows are staged and their
   * files verified, and the restore must be finished. `ended`: only its tables are still to be dropped.
   */
  phase: 'staging' | 'removing' | 'attaching' | 'ended' | 'sending';
  /** Archives whose record may have the status `restoring`: one, or two while the lock moves to the next. */
  archive_ids: string[];
  /** Prefix of its table names. */
  prefix: string;
  tables: StagedTable[];
  /** Only rows that differ are staged; null: all rows are. Undefined in checkpoints of earlier releases. */
  compared?: ComparedRows | null;
  /** Files that were read completely: selected rows, and skipped lines. */
  files: { rows: number; left_out: number }[];
  /** For `replace`: rows ingested later, by ClickHouse's clock, are kept. */
  cutoff_ms: number | null;
  removed: number;
  /** Attached partitions, and how many of their rows were in the logs before. */
  partitions: { id: string; added: number; there: number }[];
  /** The partitions being attached, and how many rows of each. Earlier releases attached one at a time. */
  moving: AttachedRows[] | AttachedRows | null;
  /** For `ingest`: accepted rows of the current file, and the batch in flight. */
  sent: { file: number; rows: number; batch: SentBatch | null } | null;
  /** The job ended without finishing, and left this to a later one. */
  left?: boolean;
}

/** Rows of a partition that are being attached. */
interface AttachedRows {
  id: string;
  rows: number;
}

/** Rows that were sent and not yet acknowledged. */
interface SentBatch {
  rows: number;
  /** When the batch was first sent, by ClickHouse's clock. */
  since_ms: number;
}

/** Prefix of all staging tables. */
const PREFIX = 'bifract_restore_';

/** What makes two plans the same request. */
type RestoreIdentity = Pick<ArchiveRestorePlan, 'from' | 'to' | 'via' | 'replace'> & {
  files: readonly Pick<ArchiveRestoreFile, 'archive_id' | 'path' | 'size_bytes'>[];
  into: { id: string };
  creates: { name: string } | null;
};

/** Identical for two plans of the same request on the same files. */
export function restoreKey({ files, into, creates, from, to, via, replace }: RestoreIdentity): string {
  const sources = files.map(({ archive_id, path, size_bytes }) => [archive_id ?? path, size_bytes]);
  // The id of a new fractal is random.
  const target = creates ? { new: creates.name } : into.id;
  const identity = JSON.stringify([sources, target, from, to, via, replace]);
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
    const unfinished = (await unfinishedRestores(state)).filter(({ restoring }) => restoring.key === key);
    const last = unfinished.at(-1)?.restoring;
    // Rows that are staged already are those of the fractal that it was going to create.
    const { into, creates } = last?.plan.creates ? last.plan : plan;
    const data = last
      ? { ...last, plan: { ...plan, into, creates }, left: false }
      : newCheckpoint(key, plan, id);
    const job: JobRecord = { id, kind: 'restore-archive', started_at: now().toISOString() };
    const checkpoint = new RestoreCheckpoint(state, job, data, last !== undefined);
    await checkpoint.save();
    for (const record of unfinished) await state.remove(record.id);
    return checkpoint;
  }

  /** Takes over the checkpoint of an interrupted job under another id. */
  static async adopt(state: State, unfinished: RestoreRecord, id: string): Promise<RestoreCheckpoint> {
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

/** The record of a restore job, with all that this feature stores in it. */
export type RestoreRecord = JobRecord & { restoring: ArchiveRestoreCheckpoint };

/** Only this feature writes such records, so what it stored in them is what it reads. */
export function isRestoreRecord(record: JobRecord): record is RestoreRecord {
  return record.restoring !== undefined;
}

/** Records of unfinished restores, the newest last. */
async function unfinishedRestores(state: State): Promise<RestoreRecord[]> {
  const running = (await state.running()).filter(({ restoring }) => restoring?.left);
  return [...(await state.interrupted()), ...running]
    .filter(isRestoreRecord)
    .sort((a, b) => (a.started_at < b.started_at ? -1 : 1));
}

/** Id of the fractal that an unfinished restore of the same request creates; undefined if there is none. */
export async function startedFractal(state: State, request: RestoreIdentity): Promise<string | undefined> {
  const key = restoreKey(request);
  return (await unfinishedRestores(state)).findLast(({ restoring }) => restoring.key === key)?.restoring.plan
    .into.id;
}

/** Two concurrent restores would both add the same missing rows. */
export async function assertNoOtherRestore(
  state: State,
  { into }: ArchiveRestorePlan,
  job_id: string,
): Promise<void> {
  const others = (await state.running()).filter(
    ({ id, restoring }) => id !== job_id && restoring && !restoring.left,
  );
  const other = others.find(({ restoring }) => restoring?.plan.into.id === into.id);
  if (!other) return;
  throw new BifractError('BUSY', `Job ${other.id} is restoring rows into ${into.name}`, {
    hint: 'Wait until it has finished, then try again.',
  });
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
    compared: null,
    files: [],
    cutoff_ms: null,
    removed: 0,
    partitions: [],
    moving: null,
    sent: null,
  };
}
