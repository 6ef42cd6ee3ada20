import { Box } from 'ink';
import { useEffect, useSyncExternalStore } from 'react';
import type { Frames } from './frames.ts';
import type { Keyboard } from './input/keyboard.ts';
import { Body } from './screens/body.tsx';
import { KeyHints, StatusLine } from './screens/frame-lines.tsx';
import { Overlay } from './screens/overlay.tsx';
import { bodyHeight, isTooSmall } from './text/layout.ts';
import { Header } from './ui/header.tsx';
import { Line } from './ui/line.tsx';
import { TooSmall } from './ui/too-small.tsx';
import { currentScreen } from './view/snapshot.ts';
import { titleLine } from './view/title.ts';
import type { Snapshot } from './view/types.ts';

function Console({ snapshot }: { snapshot: Snapshot }) {
  const { columns, rows, symbols, ui } = snapshot;
  return (
    <Box flexDirection="column" width={columns} height={rows} overflow="hidden">
      <Header snapshot={snapshot} root={ui.stack[0]} />
      <Line spans={titleLine(snapshot, currentScreen(snapshot))} columns={columns} symbols={symbols} />
      <Box flexDirection="column" height={bodyHeight(snapshot)} width={columns} overflow="hidden">
        <Body snapshot={snapshot} />
        <Overlay snapshot={snapshot} />
      </Box>
      <StatusLine snapshot={snapshot} />
      <KeyHints snapshot={snapshot} />
    </Box>
  );
}

/** The console: draws the snapshots of `frames`, and has the keyboard as long as it is mounted. */
export function App({ frames, keyboard }: { frames: Frames; keyboard: Keyboard }) {
  const snapshot = useSyncExternalStore(frames.subscribe, frames.snapshot, frames.snapshot);
  useEffect(() => {
    keyboard.open();
    return keyboard.close;
  }, [keyboard]);
  const { mode } = snapshot.ui;
  if (isTooSmall(snapshot)) {
    return <TooSmall snapshot={snapshot} dialog={mode.name === 'dialog' ? mode.dialog : undefined} />;
  }
  return <Console snapshot={snapshot} />;
}
