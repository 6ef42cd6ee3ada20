import { type ColumnShape, tableColumns } from '../../text/layout.ts';
import type { Screen, ScreenName, Snapshot } from '../types.ts';

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

/** Columns of the terminal from which a list has a preview. */
export const WITH_PREVIEW = 120;

/** Columns from which it has one more pane. */
export const WITH_SIDE = 160;

/** Columns of a list next to its preview at least. */
const MIN_LIST = 72;

/** Whether a list has a preview, unless it is empty. */
export function hasPreview({ columns, settings }: Snapshot, { name }: Screen): boolean {
  return columns >= WITH_PREVIEW && settings.preview && DETAILS[name] !== undefined;
}

/** Columns of a list: all, or what its preview leaves. */
export function listWidth(snapshot: Snapshot, screen: Screen): number {
  const { columns } = snapshot;
  if (!hasPreview(snapshot, screen)) return columns;
  return Math.max(MIN_LIST, Math.floor(columns * (columns < WITH_SIDE ? 0.55 : 0.45)));
}

/** The columns of a list that were chosen. A choice without any of them counts as none: it may be of another version. */
export function chosenColumns<Shape extends ColumnShape>(
  all: readonly Shape[],
  ids: readonly string[] | undefined,
): readonly Shape[] {
  const chosen = ids ? all.filter(({ id }) => ids.includes(id)) : all;
  return chosen.length > 0 ? chosen : all;
}

/** The columns that were chosen and fit. */
export function shownColumns<Shape extends ColumnShape>(
  all: readonly Shape[],
  ids: readonly string[] | undefined,
  width: number,
): readonly Shape[] {
  return tableColumns(chosenColumns(all, ids), width).map(({ shape }) => shape);
}
