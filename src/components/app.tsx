import { Box } from 'ink';
import { useEffect, useMemo, useSyncExternalStore } from 'react';
import type { Frames } from './frames.ts';
import type { Keyboard } from './input/keyboard.ts';
import { Body } from './screens/body.tsx';
import { KeyHints, StatusLine } from './screens/frame-lines.tsx';
import { Overlay } from './screens/overlay.tsx';
import type { ColorLevel } from './text/colors.ts';
import { bodyHeight, isTooSmall } from './text/layout.ts';
import { Header } from './ui/header.tsx';
import { Line } from './ui/line.tsx';
import { createTheme, ThemeContext } from './ui/theme.ts';
import { TooSmall } from './ui/too-small.tsx';
import { currentScreen } from './view/snapshot.ts';
import { titleLine } from './view/title.ts';
import type { Snapshot } from './view/types.ts';

function Console({ snapshot }: { snapshot: Snapshot }) {
  const { columns, rows, symbols, ui } = snapshot;
  return (
    <Box flexDirection="column" width={columns} height={rows}>
      <Header snapshot={snapshot} root={ui.stack[0]} />
      <Line spans={titleLine(snapshot, currentScreen(snapshot))} columns={columns} symbols={symbols} />
      <Box flexDirection="column" height={bodyHeight(snapshot)} width={columns}>
        <Body snapshot={snapshot} />
        <Overlay snapshot={snapshot} />
      </Box>
      <StatusLine snapshot={snapshot} />
      <KeyHints snapshot={snapshot} />
    </Box>
  );
}

interface AppProps {
  frames: Frames;
  keyboard: Keyboard;
  /** What the terminal can draw. */
  colors: ColorLevel;
}

/** The console: draws the snapshots of `frames`, and has the keyboard as long as it is mounted. */
export function App({ frames, keyboard, colors }: AppProps) {
  const snapshot = useSyncExternalStore(frames.subscribe, frames.snapshot, frames.snapshot);
  useEffect(() => {
    keyboard.open();
    return keyboard.close;
  }, [keyboard]);
  const { ui, theme: name } = snapshot;
  const theme = useMemo(() => createTheme(name, colors), [name, colors]);
  const dialog = ui.mode.name === 'dialog' ? ui.mode.dialog : undefined;
  return (
    <ThemeContext value={theme}>
      {isTooSmall(snapshot) ? (
        <TooSmall snapshot={snapshot} dialog={dialog} />
      ) : (
        <Console snapshot={snapshot} />
      )}
    </ThemeContext>
  );
}
