import { tableHeight } from '../text/layout.ts';
import { Table } from '../ui/table.tsx';
import { emptyLines } from '../view/empty.ts';
import { rowsAt } from '../view/lists/index.ts';
import { listStateAt } from '../view/snapshot.ts';
import type { Screen, Snapshot } from '../view/types.ts';

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
