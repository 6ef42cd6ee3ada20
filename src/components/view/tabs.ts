import { lineWidth } from '../text/line.ts';
import { spinnerAt } from '../text/symbols.ts';
import { unfinishedJobs } from './lists/jobs.ts';
import type { Screen, ScreenName, Snapshot } from './types.ts';

const TABS: readonly (readonly [ScreenName, string])[] = [
  ['overview', 'Overview'],
  ['fractals', 'Fractals'],
  ['archives', 'Archives'],
  ['backups', 'Backups'],
  ['jobs', 'Jobs'],
  ['log', 'Log'],
  ['orphans', 'Orphans'],
];

/** Columns before the first tab. */
const MARGIN = 1;

/** A top-level screen in the header. */
export interface Tab {
  name: ScreenName;
  text: string;
}

function badge(name: ScreenName, snapshot: Snapshot): string {
  const unfinished = unfinishedJobs(snapshot).length;
  if (name !== 'jobs' || unfinished === 0) return '';
  return ` ${spinnerAt(snapshot.symbols, snapshot.now)} ${unfinished}`;
}

/** The screens by name, with a mark at the current one; on a narrow terminal by number, and only the current one by name. */
export function tabsOf(snapshot: Snapshot, root: Screen): readonly Tab[] {
  const mark = (name: ScreenName) => (name === root.name ? snapshot.symbols.cursor : ' ');
  const named = TABS.map(([name, title], index) => ({
    name,
    text: `${mark(name)}${index + 1} ${title}${badge(name, snapshot)} `,
  }));
  if (widthOf(named) <= snapshot.columns) return named;
  return named.map((tab, index) =>
    tab.name === root.name ? tab : { ...tab, text: ` ${index + 1}${badge(tab.name, snapshot)} ` },
  );
}

/** Width of the line of tabs, with its margin. */
export function widthOf(tabs: readonly Pick<Tab, 'text'>[]): number {
  return tabs.reduce((sum, tab) => sum + lineWidth([tab]), MARGIN);
}

/** The tab at a column of its line. */
export function tabAt(snapshot: Snapshot, column: number): ScreenName | undefined {
  let end = MARGIN;
  return tabsOf(snapshot, snapshot.ui.stack[0]).find((tab) => {
    end += lineWidth([tab]);
    return column >= MARGIN && column < end;
  })?.name;
}
