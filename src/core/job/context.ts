import type { Emit } from '../contract/events.ts';

/** What the engine passes to each job besides its dependencies and options. */
export interface JobContext {
  /** The job id; stored with unfinished objects. */
  id: string;
  signal: AbortSignal;
  emit: Emit;
  now(): Date;
}
