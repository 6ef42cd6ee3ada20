import { bodyHeight } from '../text/layout.ts';
import { Lines } from '../ui/line.tsx';
import { pageAt } from '../view/pages/index.ts';
import { listStateAt } from '../view/snapshot.ts';
import type { Screen, Snapshot } from '../view/types.ts';

export interface PageScreenProps {
  snapshot: Snapshot;
  screen: Screen;
}

/** A screen of scrolling text: the overview, a record, a job. */
export function PageScreen({ snapshot, screen }: PageScreenProps) {
  const { top } = listStateAt(snapshot, screen);
  return (
    <Lines
      lines={pageAt(snapshot, screen)}
      top={top}
      columns={snapshot.columns}
      height={bodyHeight(snapshot)}
      symbols={snapshot.symbols}
    />
  );
}
