import { type Instance, render, type SuspendTerminal, useApp } from 'ink';
import { useEffect } from 'react';
import type { Engine } from '../core/index.ts';
import { App } from './app.tsx';
import { noPreferences, type Preferences } from './hooks/preferences.ts';
import { createSession, type Session } from './hooks/session.ts';
import { startUp } from './hooks/start-up.ts';
import { createRouter } from './router.ts';
import { stopSelf, suspension } from './terminal.ts';
import { glyphsFor, isUtf8 } from './view/glyphs.ts';
import { ColorContext } from './widgets/color-context.ts';

export type { Preferences } from './hooks/preferences.ts';

export interface ConsoleOptions {
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  /** Leave out every key that changes something (default: what the installation says). */
  readOnly?: boolean;
  /** False draws without any style. True leaves to Ink's colour library what the terminal can show. */
  color: boolean;
  /** Loads what is remembered between two runs; asked once the first frame is drawn. */
  preferences?: () => Promise<Preferences>;
  /** Whether the terminal shows more than ASCII (default: what the locale says). */
  utf8?: boolean;
  /** Stops the process on Ctrl-Z (default: the whole process group, as a shell's job control expects). */
  stop?: () => void;
}

const FRAMES_PER_SECOND = 12;

/** Brings Ink's way to hand the terminal over out of its tree. */
function TerminalDoor({ onOpen }: { onOpen: (suspend: SuspendTerminal) => void }) {
  const { suspendTerminal } = useApp();
  useEffect(() => onOpen(suspendTerminal), [suspendTerminal, onOpen]);
  return null;
}

/** Listens to the terminal's size before Ink does, so that the first frame of a new size is already right. */
function followSize(session: Session, stdout: NodeJS.WriteStream): () => void {
  const resize = () => session.resize(stdout.columns, stdout.rows);
  stdout.on('resize', resize);
  return () => void stdout.off('resize', resize);
}

async function ended(instance: Instance): Promise<{ error?: unknown }> {
  try {
    await instance.waitUntilExit();
    return {};
  } catch (error) {
    return { error };
  }
}

/**
 * Opens the full-screen console, and resolves when the user has left it or the terminal has gone.
 *
 * The first frame is drawn before the engine is asked for anything. The terminal is left as it was found, also
 * when drawing fails: that error is returned, for the caller to print on the normal screen. Jobs that cannot outlive
 * the console are asked to stop by whoever confirmed to quit; the caller closes the engine, which waits for them.
 */
export async function openConsole(engine: Engine, options: ConsoleOptions): Promise<{ error?: unknown }> {
  const {
    stdin,
    stdout,
    preferences = async () => noPreferences(),
    utf8 = isUtf8(process.env),
    stop = stopSelf,
  } = options;
  const terminal = suspension(stop);
  let instance: Instance | undefined;
  const leave = () => instance?.unmount();
  const session = createSession({
    engine,
    glyphs: glyphsFor(utf8),
    read_only: options.readOnly ?? engine.installation.read_only,
    columns: stdout.columns || 80,
    rows: stdout.rows || 24,
    hands: {
      write: (text) => void stdout.write(text),
      leave,
      repaint: terminal.repaint,
      suspend: terminal.suspend,
    },
  });
  const router = createRouter(session);
  const unfollow = followSize(session, stdout);
  // A terminal that has gone answers every write with an error; it stays listened for, as the last writes come late.
  stdout.on('error', leave);
  stdin.on('error', leave);
  stdin.on('end', leave);
  process.on('SIGCONT', terminal.continued);
  session.start();
  instance = render(
    <ColorContext value={options.color}>
      <TerminalDoor onOpen={terminal.open} />
      <App session={session} router={router} />
    </ColorContext>,
    {
      stdin,
      stdout,
      alternateScreen: true,
      incrementalRendering: true,
      exitOnCtrlC: false,
      patchConsole: true,
      interactive: Boolean(stdout.isTTY),
      maxFps: FRAMES_PER_SECOND,
      onRender: router.drawn,
    },
  );
  const loading = setImmediate(() => startUp(session, preferences));
  const outcome = await ended(instance);
  clearImmediate(loading);
  router.close();
  session.close();
  unfollow();
  stdin.off('end', leave);
  process.off('SIGCONT', terminal.continued);
  return outcome;
}
