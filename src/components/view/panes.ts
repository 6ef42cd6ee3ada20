import type { JobView } from '../../core/index.ts';
import { bodyHeight } from '../text/layout.ts';
import type { Line } from '../text/line.ts';
import { groupOf } from './lists/archive-rows.ts';
import { jobOfFractal } from './lists/file-cells.ts';
import { listAt, rowsAt } from './lists/index.ts';
import { pageAt } from './pages/index.ts';
import { jobOutput } from './pages/job-output.ts';
import { timelinePane } from './pages/timeline.ts';
import type { Screen, ScreenName, Snapshot } from './types.ts';

/** The page that shows all details of a row of a list. */
export const DETAILS: Readonly<Partial<Record<ScreenName, ScreenName>>> = {
  fractals: 'fractal',
  'fractal-archives': 'archive',
  group: 'archive',
  archives: 'archive',
  backups: 'backup',
  jobs: 'job',
  log: 'entry',
  orphans: 'orphan',
};

/** Columns from which a list has a preview. */
export const WITH_PREVIEW = 120;

/** Columns from which it has one more pane. */
const WITH_SIDE = 160;

/** Columns of a list next to its preview at least, of a calendar of days with its margins, and of the rule between panes. */
const MIN_LIST = 72;
const MIN_SIDE = 43;
const RULE = 1;

/** What is next to the preview: the live output of a job, or the timeline of a fractal. */
export type Side = { job: JobView } | { fractal: string };

/** The panes of a list: columns of each, and what they show. */
export interface Panes {
  list: number;
  preview?: { columns: number; page: Screen };
  side?: { columns: number; content: Side };
}

/** The page of details of a row. */
export function detailsOf(snapshot: Snapshot, screen: Screen, subject: string): Screen | undefined {
  const name = DETAILS[screen.name];
  if (!name) return undefined;
  return { name: name === 'archive' && groupOf(snapshot, subject) ? 'group' : name, subject };
}

/** The fractal that a row of a list belongs to. */
function fractalOf({ data }: Snapshot, { name, subject }: Screen, row: string): string | undefined {
  if (name === 'fractals') return row;
  if (name === 'fractal-archives') return subject;
  const archive = data.archives.value?.find(({ id, group_id }) => id === row || group_id === row);
  return archive?.fractal_id;
}

function sideOf(snapshot: Snapshot, screen: Screen, row: string): Side | undefined {
  const { jobs } = snapshot;
  if (screen.name === 'jobs') {
    const job = jobs.find(({ id }) => id === row);
    return job && { job };
  }
  const fractal = fractalOf(snapshot, screen, row);
  const job =
    fractal === undefined ? jobs.find((one) => one.ended_at === undefined) : jobOfFractal(jobs, fractal);
  if (job) return { job };
  return fractal === undefined ? undefined : { fractal };
}

/** The panes of a list on a terminal of this width. A list without rows takes all of it. */
export function panesAt(snapshot: Snapshot, screen: Screen): Panes {
  const { columns, settings } = snapshot;
  const all = { list: columns };
  if (columns < WITH_PREVIEW || !settings.preview || !listAt(screen)) return all;
  const view = rowsAt(snapshot, screen);
  const row = view?.rows[view.index]?.id;
  const page = row === undefined ? undefined : detailsOf(snapshot, screen, row);
  if (row === undefined || !page) return all;
  const content = columns < WITH_SIDE ? undefined : sideOf(snapshot, screen, row);
  const list = Math.max(MIN_LIST, Math.floor(columns * (content ? 0.45 : 0.55)));
  if (!content) return { list, preview: { columns: columns - RULE - list, page } };
  const side = MIN_SIDE + Math.floor((columns - WITH_SIDE) / 5);
  return {
    list,
    preview: { columns: columns - 2 * RULE - list - side, page },
    side: { columns: side, content },
  };
}

/** The lines of a preview. */
export function previewLines(
  snapshot: Snapshot,
  { columns, page }: NonNullable<Panes['preview']>,
): readonly Line[] {
  return pageAt({ ...snapshot, columns }, page);
}

/** The lines of the pane next to the preview. */
export function sideLines(
  snapshot: Snapshot,
  { columns, content }: NonNullable<Panes['side']>,
): readonly Line[] {
  const area = { ...snapshot, columns };
  return 'job' in content
    ? jobOutput(content.job, area, bodyHeight(snapshot))
    : timelinePane(content.fractal, area, bodyHeight(snapshot));
}
