import type { Emit } from '../events.ts';

/** What the engine gives each job beside its dependencies and options. */
export interface JobContext {
  /** The job's id, kept with unfinished objects in storage. */
  id: string;
  signal: AbortSignal;
  emit: Emit;
  now(): Date;
}
