/** A job as read from its journal. */
export interface BusJob<Event> {
  id: string;
  /** Whether its process is running. False for a job that has ended or crashed. */
  live: boolean;
  /**
   * Its events from the first one on, with progress thinned out. A crashed job gets a final `job:failed` event with
   * `JOB_DIED`.
   */
  events: Event[];
}

/** The log of a job of this process: keeps its events and sends them to other processes. */
export interface JobLog<Event> {
  /** Adds an event. Never throws, never waits. */
  add(event: Event): void;
  /** Call it after the last event. Resolves once everything is on disk and sent, as far as possible. */
  close(): Promise<void>;
}

/** Callbacks for a published job. */
export interface PublishOptions {
  /** Another process requests to cancel the job. */
  onCancel(): void;
  /** The journal cannot be written, for example on a full disk. Called once. */
  onJournalError(error: Error): void;
}

/** Lets every process of an installation see the jobs of all others. */
export interface JobBus<Event> {
  /** Publishes a job of this process. Rejects if the state folder cannot be written. */
  publish(id: string, options: PublishOptions): Promise<JobLog<Event>>;
  /** Ids of all known jobs, running or ended, in no particular order. */
  ids(): Promise<string[]>;
  /** Whether a job has ended, and wrote its last event before a time (ms since the epoch). Cheap: does not read its events. */
  endedBefore(id: string, time: number): Promise<boolean>;
  /** Undefined if there is no such job, or if its journal has been removed. */
  find(id: string): Promise<BusJob<Event> | undefined>;
  /**
   * All events of a job, past and future, until the job ends. If its process crashes, the last event is `job:failed`
   * with `JOB_DIED`. `NOT_FOUND`.
   */
  follow(id: string, options?: { signal?: AbortSignal }): AsyncIterable<Event>;
  /** Requests a job of any process to cancel. `NOT_FOUND` if no such job is running, `BUSY` if it does not respond. */
  cancel(id: string, options?: { signal?: AbortSignal }): Promise<void>;
  /** Removes old journals, and sockets of processes that have ended. Never rejects. */
  sweep(): Promise<void>;
}
