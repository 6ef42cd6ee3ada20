import type { Coverage, FileReport } from '../../core/index.ts';
import { rowAtCursor, rowsScreen, rowsView } from '../view/browse.ts';
import { groupOf } from '../view/lists/archive-rows.ts';
import { shownStrips } from '../view/overview/index.ts';
import { currentScreen } from '../view/snapshot.ts';
import type { ScreenName, Snapshot } from '../view/types.ts';
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

/** The file whose report is on the screen. */
function reportTarget(snapshot: Snapshot): string | undefined {
  const { name, subject } = currentScreen(snapshot);
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
  let last: ScreenName | undefined;
  let loading = false;
  let again = false;

  function loadFor(snapshot: Snapshot): void {
    const { name } = currentScreen(snapshot);
    const arrived = name !== last;
    last = name;
    browsing.open(rowsScreen(snapshot)?.subject);
    readRows(now(), browsing);
    reports.show(reportTarget(snapshot));
    const covered = name === 'coverage' ? currentScreen(snapshot).subject : undefined;
    coverage.show(covered);
    // Counts go stale at once: those of the last visit are shown until new ones arrive.
    if (arrived && covered !== undefined) coverage.refresh();
    strips.show(name === 'overview' ? shownStrips(now()) : []);
    data.show(name === 'orphans' || name === 'orphan' ? ['orphans'] : []);
    if (arrived && name === 'orphans') data.refresh('orphans');
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
