import type { JobView } from '../core/index.ts';
import type { Frames } from './frames.ts';
import {
  BELL,
  desktopSequence,
  MOUSE_OFF,
  MOUSE_ON,
  progressSequence,
  RESTORE_TITLE,
  SAVE_TITLE,
  type TerminalAbilities,
  titleSequence,
} from './text/osc.ts';
import { jobEnd } from './view/jobs.ts';
import { progressOf, terminalTitle } from './view/terminal-title.ts';
import type { Snapshot } from './view/types.ts';

/** Jobs that ran longer are worth a bell when they end, milliseconds. */
const LONG_JOB_MS = 30_000;

/**
 * Tells the terminal what is not on the screen: mouse mode, title, progress, and that a long job has ended. Writes only
 * what has changed.
 */
export interface Reporter {
  /** The console has the terminal, from now on or again. */
  start(): void;
  /** The console gives the terminal away: takes everything back. */
  stop(): void;
  /** Takes everything back for good: a resumption that is under way must not report again. */
  close(): void;
}

/** What the terminal was told last; undefined: nothing, or it was taken back. */
interface Reported {
  mouse?: boolean;
  title?: string;
  progress?: string;
}

export function createReporter(
  frames: Pick<Frames, 'snapshot' | 'subscribe'>,
  abilities: TerminalAbilities,
  write: (text: string) => void,
): Reporter {
  const opened = Date.now();
  let reported: Reported = {};
  let jobs: readonly JobView[] = [];
  let running: ReadonlySet<string> = new Set();
  let unsubscribe: (() => void) | undefined;
  let closed = false;

  function wanted(snapshot: Snapshot): Reported {
    const { mouse, title, progress } = snapshot.settings;
    const part = progressOf(snapshot.jobs);
    const showsProgress = abilities.osc && (progress === 'on' || (progress === 'auto' && abilities.progress));
    return {
      ...(mouse && { mouse }),
      ...(title && abilities.osc && { title: titleSequence(terminalTitle(snapshot)) }),
      ...(showsProgress && part !== 'none' && { progress: progressSequence(part) }),
    };
  }

  /** The sequences that lead from what was reported to `next`. */
  function change(next: Reported): string {
    const parts: string[] = [];
    if (next.mouse !== reported.mouse) parts.push(next.mouse ? MOUSE_ON : MOUSE_OFF);
    if (next.title !== reported.title) {
      if (reported.title === undefined) parts.push(SAVE_TITLE);
      parts.push(next.title ?? RESTORE_TITLE);
    }
    if (next.progress !== reported.progress) parts.push(next.progress ?? progressSequence('none'));
    reported = next;
    return parts.join('');
  }

  /** The jobs that have ended since the last call, ran for long, and were not cancelled. */
  function longJobsEnded(now: readonly JobView[]): readonly JobView[] {
    if (now === jobs) return [];
    const before = running;
    jobs = now;
    running = new Set(now.filter((job) => job.ended_at === undefined).map(({ id }) => id));
    return now.filter(
      ({ id, state, started_at, ended_at = 0 }) =>
        before.has(id) && ended_at > opened && ended_at - started_at >= LONG_JOB_MS && state !== 'cancelled',
    );
  }

  function announce(ended: readonly JobView[], { settings }: Snapshot): string {
    const [first] = ended;
    if (!first) return '';
    const bell = settings.bell ? BELL : '';
    const kind = abilities.desktop ?? (settings.desktop === 'on' ? 'osc9' : undefined);
    if (settings.desktop === 'off' || !kind || !abilities.osc) return bell;
    const more = ended.length > 1 ? ` (and ${ended.length - 1} more)` : '';
    return bell + desktopSequence(jobEnd(first).text + more, kind, abilities.tmux);
  }

  function report(): void {
    const snapshot = frames.snapshot();
    const text = change(wanted(snapshot)) + announce(longJobsEnded(snapshot.jobs), snapshot);
    if (text !== '') write(text);
  }

  function stop(): void {
    unsubscribe?.();
    unsubscribe = undefined;
    const text = change({});
    if (text !== '') write(text);
  }

  return {
    start() {
      if (unsubscribe || closed) return;
      unsubscribe = frames.subscribe(report);
      report();
    },
    stop,
    close() {
      closed = true;
      stop();
    },
  };
}
