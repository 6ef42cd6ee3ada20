import { groupOf } from './lists/archive-rows.ts';
import { listAt, listStateAt, rowsAt } from './lists/index.ts';
import { jobRows } from './lists/jobs.ts';
import { orphanName } from './lists/orphans.ts';
import { coverageSubject } from './pages/coverage-view.ts';
import { rowPosition } from './pages/rows.ts';
import { spread } from './text.ts';
import { ageOf, formatAge, formatStamp } from './time.ts';
import type { Line, Place, PlaceName, Resource, Snapshot, Span } from './types.ts';
import { formatExact } from './units.ts';

const TITLES: Readonly<Partial<Record<PlaceName, string>>> = {
  overview: 'Overview',
  fractals: 'Fractals',
  archives: 'Archives',
  backups: 'Backups',
  jobs: 'Jobs',
  log: 'Log',
  entry: 'Message',
  orphans: 'Orphans',
};

const NEEDS: Readonly<Partial<Record<PlaceName, readonly Resource[]>>> = {
  overview: ['health', 'fractals', 'archives', 'backups'],
  archive: ['archives'],
  backup: ['backups'],
  fractal: ['fractals'],
  orphan: ['orphans'],
};

/** The name of a place, as in the way that led there. */
export function placeTitle({ data, jobs, queue }: Snapshot, { name, subject }: Place): string {
  const fractal = () => data.fractals.value?.find((record) => record.id === subject)?.name;
  switch (name) {
    case 'fractal-archives':
    case 'fractal':
      return fractal() ?? subject ?? '';
    case 'group': {
      const group = groupOf({ data }, subject);
      return group ? `${group.fractal_name}, ${formatStamp(group.created_at)}` : (subject ?? '');
    }
    case 'archive':
      return data.archives.value?.find((record) => record.id === subject)?.filename ?? subject ?? '';
    case 'orphan': {
      const orphan = data.orphans.value?.find((one) => one.id === subject);
      return orphan ? orphanName(orphan) : (subject ?? '');
    }
    case 'rows': {
      const record = data.archives.value?.find((one) => one.id === subject);
      return `Rows${record ? ` of ${record.fractal_name}` : ''}`;
    }
    case 'row':
      return 'Row';
    case 'wizard':
      return 'Restore';
    case 'coverage': {
      const { fractal_id, unit } = coverageSubject(subject);
      const name = data.fractals.value?.find((record) => record.id === fractal_id)?.name ?? fractal_id;
      return `${name}, ${unit === 'day' ? 'by days' : 'by hours'}`;
    }
    case 'job':
      return jobRows({ jobs, queue }).find((job) => job.id === subject)?.title ?? subject ?? '';
    default:
      return TITLES[name] ?? subject ?? '';
  }
}

function trail(snapshot: Snapshot): Span[] {
  const { stack } = snapshot.ui;
  return stack.flatMap((place, index): Span[] => {
    const last = index === stack.length - 1;
    const text = placeTitle(snapshot, place);
    if (last) return [{ text, bold: true }];
    return [
      { text, tone: 'dim' },
      { text: ` ${snapshot.glyphs.trail} `, tone: 'dim' },
    ];
  });
}

function stale(snapshot: Snapshot, place: Place): Span[] {
  const needs = listAt(place)?.needs;
  const resources = needs ? [needs] : (NEEDS[place.name] ?? []);
  const old = resources
    .map((name) => snapshot.data[name])
    .find((loaded) => loaded.error && loaded.value !== undefined);
  if (!old?.error) return [];
  const age = formatAge(ageOf(new Date(old.at ?? snapshot.now).toISOString(), snapshot.now) ?? 0);
  return [{ text: `stale, ${age === 'now' ? 'just' : age} old: ${old.error.message}  `, tone: 'warn' }];
}

function counts(snapshot: Snapshot, place: Place): Span[] {
  if (place.name === 'rows' || place.name === 'row') return rowPosition(snapshot);
  const view = rowsAt(snapshot, place);
  if (!view) return [];
  const { filter } = listStateAt(snapshot, place);
  const noun = listAt(place)?.noun ?? 'row';
  const shown = view.rows.length;
  const many = (count: number) => (count === 1 ? noun : `${noun}s`);
  const hidden = view.hidden > 0 ? `, ${formatExact(view.hidden)} of them hidden` : '';
  return [
    { text: filter === '' ? '' : `/${filter}  `, tone: 'info' },
    { text: view.marked > 0 ? `${formatExact(view.marked)} marked${hidden}  ` : '', tone: 'warn' },
    {
      text:
        shown === view.total
          ? `${formatExact(shown)} ${many(shown)}`
          : `${formatExact(shown)} of ${formatExact(view.total)} ${many(view.total)}`,
      tone: 'dim',
    },
  ];
}

/** The line above the body: where the user is, and what is left out of what is shown. */
export function titleLine(snapshot: Snapshot, place: Place): Line {
  const right = [...stale(snapshot, place), ...counts(snapshot, place), { text: ' ' }];
  return spread([{ text: ' ' }, ...trail(snapshot)], right, snapshot.columns, snapshot.glyphs.more);
}
