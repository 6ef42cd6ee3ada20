import type { Coverage, FileReport } from '../../core/index.ts';
import { rowAtCursor, rowsScreen, rowsView } from '../view/browse.ts';
import { groupOf } from '../view/lists/archive-rows.ts';
import { shownStrips } from '../view/overview/index.ts';
import { panesAt } from '../view/panes.ts';
import { currentScreen } from '../view/snapshot.ts';
import type { Resource, Screen, ScreenName, Snapshot } from '../view/types.ts';
import type { Data } from './data.ts';
import type { ShownCache } from './load-cache.ts';
import type { Browsing } from './rows/browser.ts';
import type { Strips } from './strips.ts';

interface LoaderTargets {
  data: Data;
  reports: ShownCache<FileReport>;
  coverage: ShownCache<Coverage>;
  strips: Strips;
  browsing: Browsing;
}

const REPORTED: ReadonlySet<ScreenName> = new Set(['archive', 'backup', 'orphan', 'wizard']);

/** What some screens need besides what is always loaded. */
const MORE: Readonly<Partial<Record<ScreenName, readonly Resource[]>>> = {
  orphans: ['orphans'],
  orphan: ['orphans'],
  jobs: ['resumable', 'history'],
  job: ['resumable', 'history'],
  archives: ['resumable'],
  'fractal-archives': ['resumable'],
  group: ['resumable'],
  archive: ['resumable'],
};

/** How long the cursor rests on a row before its preview reads its file, and before its timeline is counted. */
const FILE_REST_MS = 250;
const COUNT_REST_MS = 700;

/** Calls a function once the cursor has rested on a row; without a row it only forgets the last one. */
function atRest(ms: number): (row: string | undefined, run: (row: string) => void) => void {
  let last: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  return (row, run) => {
    if (row === last) return;
    last = row;
    clearTimeout(timer);
    if (row !== undefined) timer = setTimeout(() => run(row), ms).unref();
  };
}

/** The file whose report is on a page. */
function reportTarget(snapshot: Snapshot, { name, subject }: Screen): string | undefined {
  if (subject === undefined || !REPORTED.has(name)) return undefined;
  const orphan = snapshot.data.orphans.value?.find(({ id }) => id === subject);
  if (groupOf(snapshot, subject)) return undefined;
  if (name === 'orphan' || orphan) return orphan?.kind === 'file' ? subject : undefined;
  const record = snapshot.data.archives.value?.find(({ id }) => id === subject);
  // A file that is still being written cannot be read.
  return record?.status === 'in_progress' ? undefined : subject;
}

function readRows(snapshot: Snapshot, browsing: Browsing): void {
  const view = rowsView(snapshot);
  if (!view || !snapshot.browse) return;
  const { top, height, count, index } = view;
  const to = top + height;
  // Until the end has been read there may be more rows than are known.
  const limit = snapshot.browse.complete ? count : Number.POSITIVE_INFINITY;
  browsing.request([top, Math.min(to, limit)], [to, Math.min(to + height, limit)]);
  browsing.detail(
    currentScreen(snapshot).name === 'row' && index < limit ? rowAtCursor(snapshot) : undefined,
  );
}

/** Makes the function that loads what is on the screen. Call it after every change; it does nothing if all is loaded. */
export function createLoader(
  now: () => Snapshot,
  { data, reports, coverage, strips, browsing }: LoaderTargets,
): () => void {
  const fileAtRest = atRest(FILE_REST_MS);
  const countAtRest = atRest(COUNT_REST_MS);
  let last: ScreenName | undefined;
  let loading = false;
  let again = false;

  function loadFor(snapshot: Snapshot): void {
    const screen = currentScreen(snapshot);
    const { name } = screen;
    const arrived = name !== last;
    last = name;
    browsing.open(rowsScreen(snapshot)?.subject);
    readRows(now(), browsing);
    const { preview, side } = panesAt(snapshot, screen);
    fileAtRest(preview && reportTarget(snapshot, preview.page), reports.show);
    if (!preview) reports.show(reportTarget(snapshot, screen));
    const counted = side && 'fractal' in side.content ? `${side.content.fractal}/day` : undefined;
    countAtRest(counted, coverage.show);
    const covered = name === 'coverage' ? screen.subject : undefined;
    if (counted === undefined) coverage.show(covered);
    // Counts go stale at once: those of the last visit are shown until new ones arrive.
    if (arrived && covered !== undefined) coverage.refresh();
    strips.show(name === 'overview' ? shownStrips(now()) : []);
    const more = MORE[name] ?? [];
    data.show(more);
    if (arrived && name !== 'orphan') for (const one of more) data.refresh(one);
  }

  return () => {
    again = true;
    // Loading triggers changes, which call this function again.
    if (loading) return;
    loading = true;
    while (again) {
      again = false;
      loadFor(now());
    }
    loading = false;
  };
}
