import { Box } from 'ink';
import type { Line as LineOfSpans } from '../text/line.ts';
import type { Symbols } from '../text/symbols.ts';
import { Lines } from './line.tsx';

export interface PaneProps {
  lines: readonly LineOfSpans[];
  /** Without the rule at its left, which takes one more. */
  columns: number;
  height: number;
  symbols: Symbols;
}

/** Text next to a list, behind a rule. */
export function Pane({ lines, columns, height, symbols }: PaneProps) {
  const rule: LineOfSpans = [{ text: symbols.box.v, tone: 'dim' }];
  return (
    <Box>
      <Lines
        lines={Array.from({ length: height }, () => rule)}
        columns={1}
        height={height}
        symbols={symbols}
      />
      <Lines lines={lines} columns={columns} height={height} symbols={symbols} />
    </Box>
  );
}
