import { sanitize } from '../../core/text/sanitize.ts';
import { formatPercent } from '../../core/text/units.ts';
import { jobEta } from '../view/jobs.ts';
import { listAt, rowsAt } from '../view/lists/index.ts';
import { currentScreen, listKey } from '../view/snapshot.ts';
import type { LogEntry, Snapshot } from '../view/types.ts';
import { wizardView } from '../view/wizard/index.ts';
import { dialogLines, promptLines, screenLines } from './screen.ts';

/** Prints what has changed since it was printed last. */
export interface Printer {
  /** New messages, progress of long jobs, and the screen, question or input if it is another one. */
  changes(snapshot: Snapshot): readonly string[];
  /** The current screen, question or input again. */
  again(snapshot: Snapshot): readonly string[];
}

/** Time between two lines of progress of a job, milliseconds. */
const PROGRESS_MS = 30_000;

const SEVERITIES: Readonly<Record<LogEntry['severity'], string>> = {
  info: '',
  good: '',
  warn: 'Warning: ',
  error: 'Error: ',
};

const isProblem = (severity: LogEntry['severity']) => severity === 'warn' || severity === 'error';

export function createPrinter(): Printer {
  let shown = '';
  let options: unknown;
  /** Number of the last message that was looked at. */
  let last = 0;
  const progressAt = new Map<string, number>();

  function focus(snapshot: Snapshot): readonly string[] {
    const { mode } = snapshot.ui;
    if (mode.name === 'dialog') return dialogLines(mode.dialog);
    return mode.name === 'prompt' ? promptLines(mode.prompt) : screenLines(snapshot);
  }

  function remember(snapshot: Snapshot): boolean {
    const { mode } = snapshot.ui;
    const [key, now] = [placeOf(snapshot), mode.name === 'dialog' ? mode.dialog.options : undefined];
    const isNew = key !== shown || now !== options;
    [shown, options] = [key, now];
    return isNew;
  }

  /** The last message, and all problems before it. */
  function messages({ ui }: Snapshot): string[] {
    const unread = ui.log.filter(({ id }) => Number(id) > last);
    last = Number(unread.at(-1)?.id ?? last);
    return unread
      .filter(({ id, severity }) => isProblem(severity) || id === ui.statusMessage?.id)
      .map(({ severity, text, hint }) =>
        sanitize(`${SEVERITIES[severity]}${text}${hint ? `. ${hint}` : ''}`),
      );
  }

  function progress({ jobs, now }: Snapshot): string[] {
    return jobs.flatMap((job) => {
      if (job.ended_at !== undefined) {
        progressAt.delete(job.id);
        return [];
      }
      const printed = progressAt.get(job.id) ?? job.started_at;
      if (now - printed < PROGRESS_MS) return [];
      progressAt.set(job.id, now);
      const part = job.fraction === undefined ? (job.phase ?? 'running') : formatPercent(job.fraction);
      const left = job.eta_ms === undefined ? '' : `, ${jobEta(job)} left`;
      return [sanitize(`${job.title}: ${part}${left}`)];
    });
  }

  return {
    changes(snapshot) {
      const isNew = remember(snapshot);
      return [...messages(snapshot), ...progress(snapshot), ...(isNew ? focus(snapshot) : [])];
    },
    again(snapshot) {
      remember(snapshot);
      return [...messages(snapshot), ...focus(snapshot)];
    },
  };
}

/** Whether the content of the screen is still on its way. */
function isLoading(snapshot: Snapshot): boolean {
  const screen = currentScreen(snapshot);
  const { data, reports, coverage, browse } = snapshot;
  const needs = listAt(screen)?.needs;
  if (needs) return !data[needs].value && !data[needs].error;
  const subject = screen.subject ?? '';
  const loaded = screen.name === 'coverage' ? coverage.get(subject) : reports.get(subject);
  if (screen.name === 'overview' || screen.name === 'setup')
    return Object.values(data).some(({ loading, value, error }) => loading && !value && !error);
  if (screen.name === 'rows' || screen.name === 'row') return !browse || browse.opening;
  return Boolean(loaded?.loading && !loaded.value);
}

/** What is read out: it is read again when this changes. */
function placeOf(snapshot: Snapshot): string {
  const { ui, wizard } = snapshot;
  const screen = currentScreen(snapshot);
  const { mode } = ui;
  const typed = mode.name === 'dialog' ? mode.dialog.typed === mode.dialog.confirmation : '';
  const error = mode.name === 'prompt' ? mode.prompt.error : '';
  const step =
    screen.name === 'wizard'
      ? [wizardView(snapshot)?.page.title, Boolean(wizard?.planning), wizard?.error]
      : '';
  const empty = rowsAt(snapshot, screen)?.rows.length === 0;
  return JSON.stringify([listKey(screen), mode.name, typed, error, step, isLoading(snapshot), empty]);
}
