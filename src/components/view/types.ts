import type {
  ArchiveGroup,
  ArchiveRecord,
  BackupFile,
  BrowsedRow,
  Coverage,
  ErrorReport,
  FileCheck,
  FileReport,
  Fractal,
  Health,
  InstallationInfo,
  JobRequest,
  JobView,
  Orphan,
} from '../../core/index.ts';
import type { Line, Tone } from '../text/line.ts';
import type { Symbols } from '../text/symbols.ts';
import type { WizardState } from './wizard/types.ts';

export type Severity = 'info' | 'good' | 'warn' | 'error';

export interface LogEntry {
  id: string;
  at: number;
  severity: Severity;
  text: string;
  hint?: string;
  /** Limited to one line because it has already been shown in full. */
  collapsed?: boolean;
}

/** A query of the engine and its result. The last value is kept while a newer one is missing. */
export interface Loaded<T> {
  value?: T;
  /** When the value was loaded, milliseconds since the epoch. */
  at?: number;
  error?: ErrorReport;
  loading: boolean;
}

export interface DataState {
  health: Loaded<Health>;
  fractals: Loaded<readonly Fractal[]>;
  archives: Loaded<readonly ArchiveRecord[]>;
  groups: Loaded<readonly ArchiveGroup[]>;
  backups: Loaded<readonly BackupFile[]>;
  checks: Loaded<readonly FileCheck[]>;
  orphans: Loaded<readonly Orphan[]>;
}

export type Resource = keyof DataState;

export type ListName = 'fractals' | 'archives' | 'backups' | 'jobs' | 'log' | 'orphans';
export type ScreenName =
  | 'overview'
  | 'health'
  | ListName
  | 'fractal-archives'
  | 'group'
  | 'fractal'
  | 'archive'
  | 'backup'
  | 'job'
  | 'entry'
  | 'orphan'
  | 'rows'
  | 'row'
  | 'wizard'
  | 'coverage';

/** A screen, and the id of its subject. */
export interface Screen {
  name: ScreenName;
  subject?: string;
}

export interface Sort {
  column: string;
  descending: boolean;
}

/** State of one list. Cursor and selection refer to row ids. */
export interface ListState {
  cursor?: string;
  /** Last index of the cursor's row: the cursor stays there if the row disappears. */
  index: number;
  top: number;
  filter: string;
  sort?: Sort;
  selected: ReadonlySet<string>;
}

/** An answer in a dialog. Enter chooses `safe` options only; the others need their own key. */
export interface DialogOption {
  key: string;
  label: string;
  safe: boolean;
  run(): void;
}

export interface DialogState {
  title: string;
  /** What Esc does, for the footer; by default `close`. */
  escape?: string;
  tone: Tone;
  lines: readonly string[];
  /** The affected items, one or more lines each; a long list scrolls. */
  items?: readonly Line[];
  /** First visible item. */
  top?: number;
  /** Text to type before an unsafe option can be chosen, and the input so far. */
  confirmation?: string;
  typed?: string;
  options: readonly DialogOption[];
  focus: number;
}

/** A one-line input. */
export interface Prompt {
  prefix: string;
  /** The accepted input. */
  hint: string;
  text: string;
  /** Why the last input was rejected. */
  error?: string;
  /** Handles the input, or returns the reason to reject it. */
  submit(text: string): string | undefined;
}

/** What handles the keys. */
export type Mode =
  | { name: 'keys' }
  | { name: 'filter'; before: string }
  | { name: 'palette'; query: string; index: number }
  | { name: 'help'; top: number }
  | { name: 'prompt'; prompt: Prompt }
  | { name: 'dialog'; dialog: DialogState };

export interface UiState {
  stack: readonly [Screen, ...Screen[]];
  lists: Readonly<Record<string, ListState>>;
  mode: Mode;
  statusMessage?: LogEntry;
  log: readonly LogEntry[];
}

/** What time-dependent cells need to be drawn. */
export interface DrawContext {
  /** Milliseconds since the epoch. */
  now: number;
  symbols: Symbols;
}

/** Everything needed to draw a frame. */
export interface Snapshot extends DrawContext {
  installation: InstallationInfo;
  read_only: boolean;
  ui: UiState;
  data: DataState;
  jobs: readonly JobView[];
  /** File reports, by the name or id they were requested with. */
  reports: ReadonlyMap<string, Loaded<FileReport>>;
  /** Coverage of fractals, by the subject of the screen that shows it. */
  coverage: ReadonlyMap<string, Loaded<Coverage>>;
  /** Coverage by day of the fractals on the overview, by their ids. */
  strips: ReadonlyMap<string, Loaded<Coverage>>;
  /** Fractals queued for archiving, the next one first. */
  queue: readonly QueuedArchive[];
  /** Labels of running actions on files, records and orphans, by their ids. */
  busy: ReadonlyMap<string, string>;
  browse?: BrowseState;
  /** The restore being prepared. */
  wizard?: WizardState;
  columns: number;
  rows: number;
}

/** The periods an archive is split into. */
export type ArchiveSplit = NonNullable<Extract<JobRequest, { kind: 'archive' }>['split']>;

/** A fractal queued for archiving. */
export interface QueuedArchive {
  id: string;
  fractal_id: string;
  fractal_name: string;
  /** The fractal's own setting if absent. */
  split?: ArchiveSplit;
  /** When it was queued, milliseconds since the epoch. */
  at: number;
}

/** A row in the list of rows: as much of it as fits on one line. */
export interface RowLine {
  index: number;
  ts: string | null;
  /** Sanitized and cut to one line. */
  line: string;
}

/** Consecutive rows, or the reason they cannot be read. */
export type RowChunk = readonly RowLine[] | ErrorReport;

/** A search, as typed and as passed to the engine. */
export interface Search {
  input: string;
  pattern: { text: string } | { regex: string; flags: string };
}

/** A search or a jump in progress; it can be stopped. */
export interface BrowseWork {
  description: string;
  since: number;
}

/** An archive open for browsing. */
export interface BrowseState {
  target: string;
  opening: boolean;
  error?: ErrorReport;
  report?: FileReport;
  /** Total number of rows; the rows read so far while `complete` is false. */
  rows: number;
  complete: boolean;
  /** Chunks of rows by number: the visible ones and a few around them. */
  chunks: ReadonlyMap<number, RowChunk>;
  work?: BrowseWork;
  search?: Search;
  /** The row shown in full. */
  detail?: { index: number; row?: BrowsedRow; error?: ErrorReport };
}
