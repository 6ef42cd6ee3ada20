import { Box } from 'ink';
import type { Line as LineOfSpans, Symbols } from '../view/types.ts';
import { Line } from './line.tsx';

export interface LinesProps {
  lines: readonly LineOfSpans[];
  /** Index of the first visible line. */
  top?: number;
  columns: number;
  height: number;
  symbols: Symbols;
  /** Line under the cursor, relative to the first visible line. */
  cursor?: number;
}

/** A window of `height` lines, padded with empty ones. */
export function Lines({ lines, top = 0, columns, height, symbols, cursor }: LinesProps) {
  const first = Math.max(0, Math.min(top, lines.length - height));
  return (
    <Box flexDirection="column" height={height} width={columns}>
      {Array.from({ length: height }, (_, index) => (
        <Line
          // biome-ignore lint/suspicious/noArrayIndexKey: lines are identified by their position
          key={index}
          spans={lines[first + index] ?? []}
          columns={columns}
          symbols={symbols}
          highlighted={index === cursor}
        />
      ))}
    </Box>
  );
}
