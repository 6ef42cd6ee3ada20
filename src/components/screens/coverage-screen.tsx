import { bodyHeight } from '../view/layout.ts';
import { coverageLines } from '../view/pages/coverage.ts';
import type { Snapshot } from '../view/types.ts';
import { Lines } from '../widgets/lines.tsx';

/** Which hours or days of a fractal are protected, as a calendar. */
export function CoverageScreen({ snapshot }: { snapshot: Snapshot }) {
  return (
    <Lines
      lines={coverageLines(snapshot)}
      columns={snapshot.columns}
      height={bodyHeight(snapshot)}
      glyphs={snapshot.glyphs}
    />
  );
}
