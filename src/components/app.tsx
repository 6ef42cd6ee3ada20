import { Box, useInput, usePaste } from 'ink';
import { useMemo, useSyncExternalStore } from 'react';
import type { Router } from './input/router.ts';
import { Body } from './screens/body.tsx';
import { KeyHints, StatusLine } from './screens/frame-lines.tsx';
import { Overlay } from './screens/overlay.tsx';
import type { Session } from './state/session.ts';
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
  session: Session;
  router: Router;
  /** What the terminal can draw. */
  colors: ColorLevel;
}

/** The console: draws the snapshot of the session and sends all keys to the router. */
export function App({ session, router, colors }: AppProps) {
  const snapshot = useSession(session);
  useInput(router.input);
  usePaste(router.paste);
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

/** The current snapshot of the session; renders again when it changes. */
function useSession(session: Session): Snapshot {
  return useSyncExternalStore(session.subscribe, session.snapshot, session.snapshot);
}
