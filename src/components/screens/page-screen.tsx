import { bodyHeight } from '../view/layout.ts';
import { listStateAt } from '../view/lists/index.ts';
import { pageAt } from '../view/pages/index.ts';
import type { Place, Snapshot } from '../view/types.ts';
import { Lines } from '../widgets/lines.tsx';

/** A place that is read from top to bottom: the overview, a record, a job. */
export function PageScreen({ snapshot, place }: { snapshot: Snapshot; place: Place }) {
  const { top } = listStateAt(snapshot, place);
  return (
    <Lines
      lines={pageAt(snapshot, place)}
      top={top}
      columns={snapshot.columns}
      height={bodyHeight(snapshot)}
      glyphs={snapshot.glyphs}
    />
  );
}
