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
  QueuedJob,
} from '../../core/index.ts';
import type { ThemeName } from '../text/colors.ts';
import type { Line, Tone } from '../text/line.ts';
import type { Symbols } from '../text/symbols.ts';
import type { Settings } from './settings.ts';
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
  /** Ids of jobs, archives and groups whose interrupted work can be resumed. */
  resumable: Loaded<ReadonlySet<string>>;
  /** Jobs of the last 90 days. */
  history: Loaded<readonly JobView[]>;
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
  | 'settings'
  | 'contexts'
  | 'setup'
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
  /** Columns scrolled out at the left, of rows. */
  left: number;
  filter: string;
  sort?: Sort;
  selected: ReadonlySet<string>;
  /** The row that was selected or deselected last: where a range starts. */
  anchor?: string;
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

/** A text recalled from the history: its place, and what was typed before. */
export interface Recall {
  place: number;
  draft: string;
}

/** A one-line input. */
export interface Prompt {
  prefix: string;
  /** The accepted input. */
  hint: string;
  text: string;
  /** See `LineInput`. */
  cursor?: number;
  /** Up and Down recall what was entered before. */
  history?: 'search' | 'time';
  recalled?: Recall;
  /** Why the last input was rejected. */
  error?: string;
  /** Keys that end the input like Enter, and are part of it. */
  submitKeys?: readonly string[];
  /** Handles the input, or returns the reason to reject it. */
  submit(text: string): string | undefined;
}

/** What handles the keys. */
export type Mode =
  | { name: 'keys' }
  | { name: 'filter'; before: string; cursor?: number; recalled?: Recall }
  | { name: 'palette'; query: string; cursor?: number; index: number }
  | { name: 'help'; top: number }
  | { name: 'columns'; index: number }
  | { name: 'prompt'; prompt: Prompt }
  | { name: 'dialog'; dialog: DialogState };

export interface UiState {
  stack: readonly [Screen, ...Screen[]];
  lists: Readonly<Record<string, ListState>>;
  /** Ids of the columns that were chosen, by the name of the list's screen; all if absent. */
  columns: Readonly<Record<string, readonly string[]>>;
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

/** An installation that was opened. */
export interface Context {
  dir: string;
  /** When it was opened last, milliseconds since the epoch. */
  at: number;
}

/** The installations to switch between. */
export interface Contexts {
  /** The one opened last first. */
  recent: readonly Context[];
  /** Why no other one can be opened. */
  fixed?: string;
}

/** Everything needed to draw a frame. */
export interface Snapshot extends DrawContext {
  installation: InstallationInfo;
  read_only: boolean;
  settings: Settings;
  contexts: Contexts;
  ui: UiState;
  data: DataState;
  jobs: readonly JobView[];
  /** File reports, by the name or id they were requested with. */
  reports: ReadonlyMap<string, Loaded<FileReport>>;
  /** Coverage of fractals, by the subject of the screen that shows it. */
  coverage: ReadonlyMap<string, Loaded<Coverage>>;
  /** Coverage by day of the fractals on the overview, by their ids. */
  strips: ReadonlyMap<string, Loaded<Coverage>>;
  /** The queue; one that is starting or running has position 0. */
  queue: readonly QueuedJob[];
  /** Jobs that this console started. */
  own: ReadonlySet<string>;
  /** Labels of running actions on files, records and orphans, by their ids. */
  busy: ReadonlyMap<string, string>;
  browse?: BrowseState;
  /** The restore being prepared. */
  wizard?: WizardState;
  columns: number;
  rows: number;
  theme: ThemeName;
}

/** The periods an archive is split into. */
export type ArchiveSplit = NonNullable<Extract<JobRequest, { kind: 'archive' }>['split']>;

/** A row in the list of rows: as much of it as fits on one line. */
export interface RowLine {
  index: number;
  ts: string | null;
  /** Sanitized and cut to one line. */
  line: string;
  /** The start of the line was cut off. */
  cut?: true;
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
  progress?: string;
  since: number;
}

/** The matches of a search that were counted so far, from the start of the archive. */
export interface MatchCount {
  /** Indexes of the matching rows, ascending; more than `total` may have been added since. */
  rows: readonly number[];
  total: number;
  /** All rows before this one have been searched. */
  searched: number;
  /** Why no more rows are searched; undefined while counting. */
  ended?: 'complete' | 'limit' | 'failed';
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
  count?: MatchCount;
  /** The row that the search went to last, cut around its match. */
  found?: RowLine;
  /** The row shown in full. */
  detail?: { index: number; row?: BrowsedRow; error?: ErrorReport };
}
