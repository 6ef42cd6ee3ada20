import { Box } from 'ink';
import { bodyHeight, tableHeight } from '../text/layout.ts';
import { Line, Lines } from '../ui/line.tsx';
import { Pane } from '../ui/pane.tsx';
import { Table } from '../ui/table.tsx';
import { emptyLines } from '../view/empty.ts';
import { rowsAt } from '../view/lists/index.ts';
import type { RowView } from '../view/lists/list.ts';
import { coverageLines } from '../view/pages/coverage.ts';
import { pageAt } from '../view/pages/index.ts';
import { rowLines, rowsHead } from '../view/pages/rows.ts';
import { panesAt, previewLines, sideLines } from '../view/panes.ts';
import { currentScreen, listStateAt } from '../view/snapshot.ts';
import type { Screen, Snapshot } from '../view/types.ts';
import { HelpScreen } from './help-screen.tsx';
import { OverviewScreen } from './overview-screen.tsx';
import { WizardScreen } from './wizard-screen.tsx';

/** The body of the current screen, or the help. */
export function Body({ snapshot }: { snapshot: Snapshot }) {
  const screen = currentScreen(snapshot);
  const { mode } = snapshot.ui;
  if (mode.name === 'help') return <HelpScreen snapshot={snapshot} top={mode.top} />;
  if (screen.name === 'overview') return <OverviewScreen snapshot={snapshot} />;
  if (screen.name === 'rows') return <RowsScreen snapshot={snapshot} />;
  if (screen.name === 'coverage') return <CoverageScreen snapshot={snapshot} />;
  if (screen.name === 'wizard') return <WizardScreen snapshot={snapshot} />;
  return <ListOrPage snapshot={snapshot} screen={screen} />;
}

interface ScreenProps {
  snapshot: Snapshot;
  screen: Screen;
}

/** A list, with details of the row under the cursor next to it on a wide terminal. */
function ListScreen({ snapshot, screen, view }: ScreenProps & { view: RowView }) {
  const { symbols } = snapshot;
  const { list, preview, side } = panesAt(snapshot, screen);
  const area = { ...snapshot, columns: list };
  const height = bodyHeight(snapshot);
  return (
    <Box height={height} width={snapshot.columns}>
      <Table
        view={view}
        list={listStateAt(snapshot, screen)}
        snapshot={area}
        height={tableHeight(snapshot)}
        empty={emptyLines(area, screen)}
      />
      {preview ? (
        <Pane
          lines={previewLines(snapshot, preview)}
          columns={preview.columns}
          height={height}
          symbols={symbols}
        />
      ) : null}
      {side ? (
        <Pane lines={sideLines(snapshot, side)} columns={side.columns} height={height} symbols={symbols} />
      ) : null}
    </Box>
  );
}

/** A list of records, or a page of scrolling text. */
function ListOrPage({ snapshot, screen }: ScreenProps) {
  const view = rowsAt(snapshot, screen);
  if (view) return <ListScreen snapshot={snapshot} screen={screen} view={view} />;
  return (
    <Lines
      lines={pageAt(snapshot, screen)}
      top={listStateAt(snapshot, screen).top}
      columns={snapshot.columns}
      height={bodyHeight(snapshot)}
      symbols={snapshot.symbols}
    />
  );
}

/** The visible rows of an archive. */
function RowsScreen({ snapshot }: { snapshot: Snapshot }) {
  const { columns, symbols } = snapshot;
  const height = tableHeight(snapshot);
  const { lines, cursor } = rowLines(snapshot);
  return (
    <Box flexDirection="column" height={height + 1} width={columns}>
      <Line spans={rowsHead(snapshot)} columns={columns} symbols={symbols} />
      <Lines
        lines={lines.slice(0, height)}
        columns={columns}
        height={height}
        symbols={symbols}
        cursor={cursor}
      />
    </Box>
  );
}

/** Coverage of a fractal as a calendar of days or hours. */
function CoverageScreen({ snapshot }: { snapshot: Snapshot }) {
  return (
    <Lines
      lines={coverageLines(snapshot)}
      columns={snapshot.columns}
      height={bodyHeight(snapshot)}
      symbols={snapshot.symbols}
    />
  );
}
