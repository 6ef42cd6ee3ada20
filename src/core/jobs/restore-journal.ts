import { createHash } from 'node:crypto';
import type { ArchiveRestorePlan } from '../archive-restore.ts';
import type { ArchiveRestoreJournal } from '../ports/archive-restore-journal.ts';
import type { JobNote, State } from '../ports/state.ts';
import type { JobContext } from './context.ts';

/** What the names of tables of all restores begin with. */
const PREFIX = 'bifract_restore_';

/** The same for two plans of the same call on the same files. */
export function restoreKey({ files, into, from, to, via, replace }: ArchiveRestorePlan): string {
  const sources = files.map(({ archive_id, path, size_bytes }) => [archive_id ?? path, size_bytes]);
  const call = JSON.stringify([sources, into.id, from, to, via, replace]);
  return createHash('sha256').update(call).digest('hex');
}

/** The journal of one restore: kept with the note of its job, durable once `save` resolves. */
export class RestoreJournal {
  readonly entry: ArchiveRestoreJournal;
  /** Whether it goes on with what an earlier job left. */
  readonly resumed: boolean;
  readonly #state: State;
  readonly #note: JobNote;

  private constructor(state: State, note: JobNote, entry: ArchiveRestoreJournal, resumed: boolean) {
    this.#state = state;
    this.#note = note;
    this.entry = entry;
    this.resumed = resumed;
  }

  /** Begins a journal, or takes over the one that a job of the same call left. */
  static async open(
    state: State,
    plan: ArchiveRestorePlan,
    { id, now }: Pick<JobContext, 'id' | 'now'>,
  ): Promise<RestoreJournal> {
    const key = restoreKey(plan);
    const left = (await leftBehind(state)).filter(({ restoring }) => restoring?.key === key);
    const last = left.at(-1)?.restoring;
    const entry = last ? { ...last, plan, left: false } : begin(key, plan, id);
    const note: JobNote = { id, kind: 'restore-archive', started_at: now().toISOString() };
    const journal = new RestoreJournal(state, note, entry, last !== undefined);
    await journal.save();
    for (const one of left) await state.forget(one.id);
    return journal;
  }

  /** Takes over the journal that a job left, under another id. */
  static async takeOver(
    state: State,
    left: JobNote & { restoring: ArchiveRestoreJournal },
    id: string,
  ): Promise<RestoreJournal> {
    const { kind, started_at, restoring } = left;
    const journal = new RestoreJournal(state, { id, kind, started_at }, { ...restoring, left: false }, true);
    await journal.save();
    await state.forget(left.id);
    return journal;
  }

  async save(values: Partial<ArchiveRestoreJournal> = {}): Promise<void> {
    Object.assign(this.entry, values);
    await this.#state.note({ ...this.#note, restoring: this.entry });
  }

  /** Nothing is left to be done. */
  async forget(): Promise<void> {
    await this.#state.forget(this.#note.id);
  }
}

/** Notes of restores that have ended without their end, the newest last. */
export async function leftBehind(state: State): Promise<JobNote[]> {
  const live = (await state.live()).filter(({ restoring }) => restoring?.left);
  return [...(await state.dead()), ...live]
    .filter(({ restoring }) => restoring !== undefined)
    .sort((a, b) => (a.started_at < b.started_at ? -1 : 1));
}

/** Archives that only such restores have marked as being restored. */
export async function staleMarks(state: State): Promise<Set<string>> {
  const marks = (notes: JobNote[]) => notes.flatMap(({ restoring }) => restoring?.archive_ids ?? []);
  const live = new Set(marks((await state.live()).filter(({ restoring }) => !restoring?.left)));
  return new Set(marks(await leftBehind(state)).filter((id) => !live.has(id)));
}

function begin(key: string, plan: ArchiveRestorePlan, id: string): ArchiveRestoreJournal {
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
