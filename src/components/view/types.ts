import type {
  ArchiveGroup,
  ArchiveRecord,
  BackupFile,
  Coverage,
  ErrorReport,
  FileReport,
  Fractal,
  Health,
  InstallationInfo,
  JobView,
  Orphan,
} from '../../core/index.ts';
import type { BrowseState, QueuedArchive, Verdict } from './file-types.ts';
import type { WizardState } from './wizard/types.ts';

/** What a piece of text means; the theme knows how that looks. */
export type Tone = 'plain' | 'dim' | 'good' | 'bad' | 'warn' | 'info' | 'accent' | 'title';

/** A piece of one line. */
export interface Span {
  text: string;
  tone?: Tone;
  bold?: boolean;
}

export type Line = readonly Span[];

/** Characters that draw; one set for UTF-8, one for plain ASCII. Each is one column wide. */
export interface Glyphs {
  ok: string;
  bad: string;
  warn: string;
  dot: string;
  cursor: string;
  mark: string;
  more: string;
  rule: string;
  full: string;
  empty: string;
  /** From almost nothing to almost full; empty where a bar has no finer steps. */
  eighths: readonly string[];
  spinner: readonly string[];
  trail: string;
  between: string;
  up: string;
  down: string;
  padlock: string;
  box: { tl: string; tr: string; bl: string; br: string; h: string; v: string };
}

export type Severity = 'info' | 'good' | 'warn' | 'error';

export interface LogEntry {
  id: string;
  at: number;
  severity: Severity;
  text: string;
  hint?: string;
  /** It was seen in full, and takes one line from now on. */
  folded?: boolean;
}

/** What was asked of the engine, and what came of it. An old value stays while newer news is missing. */
export interface Loaded<T> {
  value?: T;
  /** When the value was true, ms since the epoch. */
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
  orphans: Loaded<readonly Orphan[]>;
}

export type Resource = keyof DataState;

export type ListName = 'fractals' | 'archives' | 'backups' | 'jobs' | 'log' | 'orphans';
export type PlaceName =
  | 'overview'
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

/** A screen, and the id of what it is about. */
export interface Place {
  name: PlaceName;
  subject?: string;
}

export interface Sort {
  column: string;
  descending: boolean;
}

/** What the user has done to one list. Cursor and marks belong to row ids. */
export interface ListState {
  cursor?: string;
  /** Where the cursor's row was last seen: it stays there when the row has gone. */
  index: number;
  top: number;
  filter: string;
  sort?: Sort;
  marks: ReadonlySet<string>;
}

/** One way out of a dialog. Enter takes only what is `safe`; the rest needs its own key. */
export interface DialogOption {
  key: string;
  label: string;
  safe: boolean;
  run(): void;
}

export interface DialogState {
  title: string;
  tone: Tone;
  lines: readonly string[];
  /** What the question is about, a line each: all of it can be seen, by scrolling where it is long. */
  items?: readonly Line[];
  /** First item that is shown. */
  top?: number;
  /** What must be typed before an option that is not safe can be taken, and what was typed so far. */
  word?: string;
  typed?: string;
  options: readonly DialogOption[];
  focus: number;
}

/** A line that the user types, and what becomes of it. */
export interface Prompt {
  sign: string;
  /** What can be typed. */
  hint: string;
  text: string;
  /** Why the last text was not taken. */
  trouble?: string;
  /** Takes the text, or says why not. */
  take(text: string): string | undefined;
}

/** Who gets the keys. */
export type Mode =
  | { name: 'keys' }
  | { name: 'filter'; before: string }
  | { name: 'palette'; query: string; index: number }
  | { name: 'help'; top: number }
  | { name: 'prompt'; prompt: Prompt }
  | { name: 'dialog'; dialog: DialogState };

export interface UiState {
  stack: readonly [Place, ...Place[]];
  lists: Readonly<Record<string, ListState>>;
  mode: Mode;
  flash?: LogEntry;
  log: readonly LogEntry[];
}

/** Everything a frame is drawn from. */
export interface Snapshot {
  installation: InstallationInfo;
  read_only: boolean;
  ui: UiState;
  data: DataState;
  jobs: readonly JobView[];
  /** What files say of themselves, by the name they were asked for. */
  reports: ReadonlyMap<string, Loaded<FileReport>>;
  /** Who holds what of fractals, by the subject of the place that shows it. */
  coverage: ReadonlyMap<string, Loaded<Coverage>>;
  /** The last verification of each file, by its bare name. */
  verdicts: ReadonlyMap<string, Verdict>;
  /** Fractals that wait for their turn to be archived, the next one first. */
  queue: readonly QueuedArchive[];
  /** What is being done to files, records and orphans, by their ids. */
  busy: ReadonlyMap<string, string>;
  browse?: BrowseState;
  /** The restore that is being prepared. */
  wizard?: WizardState;
  columns: number;
  rows: number;
  now: number;
  glyphs: Glyphs;
}
