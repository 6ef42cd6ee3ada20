import { layOutColumns, TABLE_MARGINS } from '../text/layout.ts';
import { listColumns } from './lists/index.ts';
import { panesAt } from './panes.ts';
import { currentScreen } from './snapshot.ts';
import type { Snapshot } from './types.ts';

/** A column of a list that can be shown or hidden. */
export interface ColumnChoice {
  id: string;
  title: string;
  chosen: boolean;
  /** Chosen, and there is room for it. */
  visible: boolean;
}

/** The columns of the current list, in their order. */
export function columnChoices(snapshot: Snapshot): readonly ColumnChoice[] {
  const screen = currentScreen(snapshot);
  const { all, chosen } = listColumns(snapshot, screen);
  const room = panesAt(snapshot, screen).list - TABLE_MARGINS;
  const visible = layOutColumns(chosen, room).map(({ shape }) => shape);
  return all.map((shape) => ({
    id: shape.id,
    title: shape.title,
    chosen: chosen.includes(shape),
    visible: visible.includes(shape),
  }));
}

/** The ids of the chosen columns after one is shown or hidden. The last one stays. */
export function withToggled(choices: readonly ColumnChoice[], index: number): readonly string[] {
  const toggled = choices.filter(({ chosen }, at) => chosen !== (at === index)).map(({ id }) => id);
  return toggled.length > 0 ? toggled : choices.filter(({ chosen }) => chosen).map(({ id }) => id);
}
