import { Box } from 'ink';
import { tableHeight } from '../view/layout.ts';
import { rowLines, rowsHead } from '../view/pages/rows.ts';
import type { Snapshot } from '../view/types.ts';
import { Line } from '../widgets/line.tsx';
import { Lines } from '../widgets/lines.tsx';

/** The rows of an archive: the window of them that fits. */
export function RowsScreen({ snapshot }: { snapshot: Snapshot }) {
  const { columns, glyphs } = snapshot;
  const height = tableHeight(snapshot);
  const { lines, chosen } = rowLines(snapshot);
  return (
    <Box flexDirection="column" height={height + 1} width={columns}>
      <Line spans={rowsHead(snapshot)} columns={columns} glyphs={glyphs} />
      <Lines lines={lines} columns={columns} height={height} glyphs={glyphs} chosen={chosen} />
    </Box>
  );
}
