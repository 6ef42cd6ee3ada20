import { emptyLines } from '../view/empty.ts';
import { tableHeight } from '../view/layout.ts';
import { listStateAt, rowsAt } from '../view/lists/index.ts';
import type { Place, Snapshot } from '../view/types.ts';
import { Table } from '../widgets/table.tsx';

/** A place that lists records: fractals, archives, backups, jobs, messages. */
export function ListScreen({ snapshot, place }: { snapshot: Snapshot; place: Place }) {
  const view = rowsAt(snapshot, place);
  if (!view) return null;
  return (
    <Table
      view={view}
      list={listStateAt(snapshot, place)}
      snapshot={snapshot}
      height={tableHeight(snapshot)}
      empty={emptyLines(snapshot, place)}
    />
  );
}
