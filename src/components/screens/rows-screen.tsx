import { Box } from 'ink';
import { tableHeight } from '../text/layout.ts';
import { Line, Lines } from '../ui/line.tsx';
import { rowLines, rowsHead } from '../view/pages/rows.ts';
import type { Snapshot } from '../view/types.ts';

/** The visible rows of an archive. */
export function RowsScreen({ snapshot }: { snapshot: Snapshot }) {
  const { columns, symbols } = snapshot;
  const height = tableHeight(snapshot);
  const { lines, cursor } = rowLines(snapshot);
  return (
    <Box flexDirection="column" height={height + 1} width={columns}>
      <Line spans={rowsHead(snapshot)} columns={columns} symbols={symbols} />
      <Lines lines={lines} columns={columns} height={height} symbols={symbols} cursor={cursor} />
    </Box>
  );
}
