import type { Engine, JobStore } from '../../core/index.ts';
import type { Action } from '../reducer.ts';
import type { Glyphs, Severity, Snapshot } from '../view/types.ts';
import type { Browsing } from './browsing.ts';
import type { Data } from './data.ts';
import type { Preferences } from './preferences.ts';
import type { Queue } from './queue.ts';
import type { Wizard } from './wizard.ts';

/** What the session does to the terminal. */
export interface Hands {
  /** Writes past the frame: only what leaves no trace on the screen. */
  write(text: string): void;
  repaint(): void;
  suspend(): void;
  leave(): void;
}

/** The console without its looks: state, engine, and everything that keys can do to them. */
export interface Session {
  readonly engine: Engine;
  readonly jobs: JobStore;
  readonly data: Data;
  readonly browsing: Browsing;
  readonly queue: Queue;
  readonly wizard: Wizard;
  readonly preferences: Preferences;
  /** Takes over what was kept of earlier runs, and keeps there from now on. */
  prefer(preferences: Preferences): void;
  readonly hands: Hands;
  /** Aborted once the console is being left: nothing may be started any more. */
  readonly ended: AbortSignal;
  snapshot(): Snapshot;
  subscribe(listener: () => void): () => void;
  dispatch(action: Action): void;
  /** Tells the user: on the flash line unless `quiet`, and in the log. */
  say(severity: Severity, text: string, options?: { hint?: string; quiet?: boolean }): void;
  /** Notes what is being done to files, records and orphans, by their ids; undefined: nothing any more. */
  occupy(ids: readonly string[], doing: string | undefined): void;
  /** Loads everything again that is shown. */
  refresh(): void;
  resize(columns: number, rows: number): void;
  /** Begins to listen: to be called before the first key can come. */
  start(): void;
  /** Begins to load, now and from time to time. */
  load(): void;
  /** Leaves for good: the terminal is given back. */
  leave(): void;
  close(): void;
}

export interface SessionOptions {
  engine: Engine;
  hands: Hands;
  glyphs: Glyphs;
  read_only: boolean;
  columns: number;
  rows: number;
}
