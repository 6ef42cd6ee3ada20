import { Box } from 'ink';
import type { Glyphs, Line as LineOfSpans } from '../view/types.ts';
import { Line } from './line.tsx';

export interface LinesProps {
  lines: readonly LineOfSpans[];
  /** First line that is shown. */
  top?: number;
  columns: number;
  height: number;
  glyphs: Glyphs;
  /** Line under the cursor, counted from the first that is shown. */
  chosen?: number;
}

/** A window of `height` lines, filled up with empty ones. */
export function Lines({ lines, top = 0, columns, height, glyphs, chosen }: LinesProps) {
  const first = Math.max(0, Math.min(top, lines.length - height));
  return (
    <Box flexDirection="column" height={height} width={columns}>
      {Array.from({ length: height }, (_, index) => (
        <Line
          // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place on the screen
          key={index}
          spans={lines[first + index] ?? []}
          columns={columns}
          glyphs={glyphs}
          chosen={index === chosen}
        />
      ))}
    </Box>
  );
}
