import type { JobHandle, JobOutcome, JobRequest } from '../../core/index.ts';
import type { ArchiveSplit, QueuedArchive } from '../view/types.ts';

/** Fractals to archive one after another, because each archive can use much memory in ClickHouse. */
export interface Queue {
  /** Queued fractals, the next one first. */
  state(): readonly QueuedArchive[];
  add(fractal: { id: string; name: string }, split?: ArchiveSplit): void;
  /** Removes a queued fractal. */
  remove(id: string): void;
  /** Drops the queue; nothing more is started. */
  close(): void;
}

/** `started` gets the id in the queue and that of the job. */
export function createQueue(
  startJob: (request: JobRequest) => JobHandle,
  changed: () => void,
  started: (queued: string, job: string) => void,
): Queue {
  let state: readonly QueuedArchive[] = [];
  let current: Promise<JobOutcome> | undefined;
  let closed = false;

  function next(): void {
    const [first, ...rest] = state;
    if (closed || current || !first) return;
    state = rest;
    const { fractal_id, fractal_name, split } = first;
    const job = startJob({ kind: 'archive', fractal_id, fractal_name, ...(split ? { split } : {}) });
    started(first.id, job.id);
    current = job.outcome;
    void current.then(() => {
      current = undefined;
      next();
    });
    changed();
  }

  return {
    state: () => state,
    add({ id, name }, split) {
      const queued = { id: `queued:${id}`, fractal_id: id, fractal_name: name, split, at: Date.now() };
      state = [...state, queued];
      changed();
      next();
    },
    remove(id) {
      state = state.filter((one) => one.id !== id);
      changed();
    },
    close() {
      closed = true;
      state = [];
    },
  };
}
