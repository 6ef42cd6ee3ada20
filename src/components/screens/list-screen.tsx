import { emptyLines } from '../view/empty.ts';
import { tableHeight } from '../view/layout.ts';
import { listStateAt, rowsAt } from '../view/lists/index.ts';
import type { Screen, Snapshot } from '../view/types.ts';
import { Table } from '../widgets/table.tsx';

export interface ListScreenProps {
  snapshot: Snapshot;
  screen: Screen;
}

/** A screen that lists records: fractals, archives, backups, jobs, messages. */
export function ListScreen({ snapshot, screen }: ListScreenProps) {
  const view = rowsAt(snapshot, screen);
  if (!view) return null;
  return (
    <Table
      view={view}
      list={listStateAt(snapshot, screen)}
      snapshot={snapshot}
      height={tableHeight(snapshot)}
      empty={emptyLines(snapshot, screen)}
    />
  );
}
