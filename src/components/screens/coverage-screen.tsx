import { bodyHeight } from '../text/layout.ts';
import { Lines } from '../ui/line.tsx';
import { coverageLines } from '../view/pages/coverage.ts';
import type { Snapshot } from '../view/types.ts';

/** Coverage of a fractal as a calendar of days or hours. */
export function CoverageScreen({ snapshot }: { snapshot: Snapshot }) {
  return (
    <Lines
      lines={coverageLines(snapshot)}
      columns={snapshot.columns}
      height={bodyHeight(snapshot)}
      symbols={snapshot.symbols}
    />
  );
}
