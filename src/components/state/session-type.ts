import type { Engine, JobHandle, JobRequest, JobStore } from '../../core/index.ts';
import type { Severity, Snapshot, Symbols } from '../view/types.ts';
import type { Data } from './data.ts';
import type { Preferences } from './preferences.ts';
import type { Queue } from './queue.ts';
import type { Action } from './reducer.ts';
import type { Browsing } from './rows/browser.ts';
import type { Wizard } from './wizard/wizard.ts';

/** What the session can do to the terminal. */
export interface TerminalControls {
  /** Writes an escape sequence that does not change the screen. */
  write(text: string): void;
  repaint(): void;
  suspend(): void;
  leave(): void;
}

/** The console without its views: its state, the engine, and everything that keys can do to them. */
export interface Session {
  readonly engine: Engine;
  readonly jobs: JobStore;
  readonly data: Data;
  readonly browsing: Browsing;
  readonly queue: Queue;
  readonly wizard: Wizard;
  /** Starts a job, and shows it at once: its process may take a moment to start. */
  startJob(request: JobRequest): JobHandle;
  readonly preferences: Preferences;
  /** Applies saved preferences, and saves changes to them from now on. */
  applyPreferences(preferences: Preferences): void;
  readonly terminal: TerminalControls;
  /** Aborted when the user leaves: nothing may be started after that. */
  readonly ended: AbortSignal;
  snapshot(): Snapshot;
  subscribe(listener: () => void): () => void;
  dispatch(action: Action): void;
  /** Notifies the user: in the log and, unless `quiet`, on the message line. */
  notify(severity: Severity, text: string, options?: { hint?: string; quiet?: boolean }): void;
  /** Sets the status of rows that a job works on, by id; undefined clears it. */
  setBusy(ids: readonly string[], status: string | undefined): void;
  /** Reloads everything that is shown. */
  refresh(): void;
  resize(columns: number, rows: number): void;
  /** Subscribes to the engine. Call it before the first key can arrive. */
  start(): void;
  /** Loads the data now and periodically. */
  load(): void;
  /** Leaves the console and restores the terminal. */
  leave(): void;
  close(): void;
}

export interface SessionOptions {
  engine: Engine;
  terminal: TerminalControls;
  symbols: Symbols;
  read_only: boolean;
  columns: number;
  rows: number;
}
