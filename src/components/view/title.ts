import { ageOf, formatAgo } from '../../core/text/time.ts';
import { formatExact } from '../../core/text/units.ts';
import { justify, type Line, type Span } from '../text/line.ts';
import { archiveName, fileTitle } from './archive-name.ts';
import { groupOf } from './lists/archive-rows.ts';
import { listAt, rowsAt } from './lists/index.ts';
import { jobRows } from './lists/jobs.ts';
import { coverageSubject } from './pages/coverage.ts';
import { rowPosition } from './pages/rows.ts';
import { listStateAt } from './snapshot.ts';
import type { Resource, Screen, ScreenName, Snapshot } from './types.ts';

const TITLES: Readonly<Partial<Record<ScreenName, string>>> = {
  overview: 'Overview',
  health: 'Health',
  fractals: 'Fractals',
  archives: 'Archives',
  backups: 'Backups',
  jobs: 'Jobs',
  log: 'Log',
  entry: 'Message',
  orphans: 'Orphans',
  settings: 'Settings',
  contexts: 'Installations',
  setup: 'Setup',
};

const NEEDS: Readonly<Partial<Record<ScreenName, readonly Resource[]>>> = {
  overview: ['health', 'fractals', 'archives', 'backups', 'checks'],
  health: ['health'],
  archive: ['archives'],
  backup: ['backups'],
  fractal: ['fractals'],
  orphan: ['orphans'],
};

/** The title of a screen in the breadcrumbs. */
export function screenTitle({ data, jobs, queue }: Snapshot, { name, subject }: Screen): string {
  const fractal = () => data.fractals.value?.find((record) => record.id === subject)?.name;
  switch (name) {
    case 'fractal-archives':
    case 'fractal':
      return fractal() ?? subject ?? '';
    case 'group': {
      const group = groupOf({ data }, subject);
      return group ? archiveName(group) : (subject ?? '');
    }
    case 'archive': {
      const record = data.archives.value?.find((one) => one.id === subject);
      return record ? archiveName(record) : (subject ?? '');
    }
    case 'orphan': {
      const orphan = data.orphans.value?.find((one) => one.id === subject);
      return orphan ? fileTitle(orphan.path, data) : (subject ?? '');
    }
    case 'rows': {
      const record = data.archives.value?.find((one) => one.id === subject);
      return `Rows${record ? ` of ${archiveName(record)}` : ''}`;
    }
    case 'row':
      return 'Row';
    case 'wizard':
      return 'Restore';
    case 'coverage': {
      const { fractal_id, unit } = coverageSubject(subject);
      const name = data.fractals.value?.find((record) => record.id === fractal_id)?.name ?? fractal_id;
      return `${name}, ${unit === 'day' ? 'by day' : 'by hour'}`;
    }
    case 'job':
      return jobRows({ jobs, queue, data }).find((job) => job.id === subject)?.title ?? subject ?? '';
    default:
      return TITLES[name] ?? subject ?? '';
  }
}

function breadcrumbs(snapshot: Snapshot): Span[] {
  const { stack } = snapshot.ui;
  return stack.flatMap((screen, index): Span[] => {
    const last = index === stack.length - 1;
    // The archive is named before its rows.
    const text =
      screen.name === 'rows' && stack[index - 1]?.name === 'archive' ? 'Rows' : screenTitle(snapshot, screen);
    if (last) return [{ text, bold: true }];
    return [
      { text, tone: 'dim' },
      { text: ` ${snapshot.symbols.breadcrumb} `, tone: 'dim' },
    ];
  });
}

function stale(snapshot: Snapshot, screen: Screen): Span[] {
  const needs = listAt(screen)?.needs;
  const resources = needs ? [needs] : (NEEDS[screen.name] ?? []);
  const outdated = resources
    .map((name) => snapshot.data[name])
    .find((loaded) => loaded.error && loaded.value !== undefined);
  if (!outdated?.error) return [];
  const age = formatAgo(ageOf(new Date(outdated.at ?? snapshot.now).toISOString(), snapshot.now) ?? 0);
  return [{ text: `stale (${age}): ${outdated.error.message}  `, tone: 'warn' }];
}

function counts(snapshot: Snapshot, screen: Screen): Span[] {
  if (screen.name === 'rows' || screen.name === 'row') return rowPosition(snapshot);
  const view = rowsAt(snapshot, screen);
  if (!view) return [];
  const { filter } = listStateAt(snapshot, screen);
  const noun = listAt(screen)?.noun ?? 'row';
  const shown = view.rows.length;
  const nounFor = (count: number) => (count === 1 ? noun : `${noun}s`);
  const hidden = view.hidden > 0 ? `, ${formatExact(view.hidden)} hidden` : '';
  return [
    { text: filter === '' ? '' : `/${filter}${view.similar ? ' (similar)' : ''}  `, tone: 'info' },
    { text: view.problem ? `invalid: ${view.problem}  ` : '', tone: 'bad' },
    { text: view.selected > 0 ? `${formatExact(view.selected)} selected${hidden}  ` : '', tone: 'warn' },
    {
      text:
        shown === view.total
          ? `${formatExact(shown)} ${nounFor(shown)}`
          : `${formatExact(shown)} of ${formatExact(view.total)} ${nounFor(view.total)}`,
      tone: 'dim',
    },
  ];
}

/** The line above the body: breadcrumbs at the left; filter, selection and row counts at the right. */
export function titleLine(snapshot: Snapshot, screen: Screen): Line {
  const right = [{ text: '  ' }, ...stale(snapshot, screen), ...counts(snapshot, screen), { text: ' ' }];
  return justify(
    [{ text: ' ' }, ...breadcrumbs(snapshot)],
    right,
    snapshot.columns,
    snapshot.symbols.ellipsis,
  );
}
