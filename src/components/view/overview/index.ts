import { bodyHeight } from '../../text/layout.ts';
import { cursorIndex } from '../lists/list.ts';
import { currentScreen, listStateAt, memo } from '../snapshot.ts';
import type { Snapshot } from '../types.ts';
import { coverageOrder, coverageStrips } from './coverage.ts';
import { dueLine } from './due.ts';
import { storageLine } from './growth.ts';
import { healthLines } from './health.ts';
import { jobLines, recentJobs } from './jobs.ts';
import type { OverviewLine } from './line.ts';
import { backupLines, verdictLines } from './verdict.ts';

/** Reasons and jobs that are shown on the smallest usual screen. */
const FEW = 3;
const MANY = 8;
/** Rows of a terminal that is large enough for more of everything. */
const TALL = 34;
/** Strips that are always shown, however small the screen is. */
const MIN_STRIPS = 3;

/**
 * The overview: first whether the data is safe and why not, then what that is based on. Everything but the strips of the
 * fractals has a fixed height; they get the rest of the screen.
 */
export const overviewLines = memo((snapshot: Snapshot): readonly OverviewLine[] => {
  const tall = snapshot.rows >= TALL;
  const some = tall ? MANY : FEW;
  const before = [...verdictLines(snapshot, some), ...space(tall), ...backupLines(snapshot)];
  const after = [
    ...space(tall),
    storageLine(snapshot),
    dueLine(snapshot),
    ...jobLines(snapshot, tall ? MANY : 2),
    ...healthLines(snapshot),
  ];
  const rest = bodyHeight(snapshot) - before.length - after.length - (tall ? 2 : 1);
  const strips = coverageStrips(snapshot, Math.max(MIN_STRIPS, rest));
  const lines = [...before, ...space(tall), ...strips, ...after];
  return [...lines, ...recentJobs(snapshot, bodyHeight(snapshot) - lines.length)];
});

function space(tall: boolean): OverviewLine[] {
  return tall ? [{ id: 'space', spans: [] }] : [];
}

/** The fractals whose strips are shown. */
export function shownStrips(snapshot: Snapshot): readonly string[] {
  const shown = new Set(overviewLines(snapshot).map(({ id }) => id));
  return coverageOrder(snapshot)
    .map(({ id }) => id)
    .filter((id) => shown.has(id));
}

/** Indexes of the lines that the cursor stops at, and which of them it is at. */
export function overviewCursor(snapshot: Snapshot, lines: readonly OverviewLine[]) {
  const stops = lines.flatMap(({ target }, index) => (target ? [index] : []));
  const ids = stops.map((index) => lines[index]?.id ?? '');
  const at = cursorIndex(ids, listStateAt(snapshot, currentScreen(snapshot)));
  return { stops, ids, at, line: stops[at] ?? 0 };
}
