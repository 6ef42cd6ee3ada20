import { type Instance, render, type SuspendTerminal, useApp } from 'ink';
import { useEffect } from 'react';
import type { Engine } from '../core/index.ts';
import { App } from './app.tsx';
import { createFrames, type Frames } from './frames.ts';
import { createKeyboard } from './input/keyboard.ts';
import { createRouter } from './input/router.ts';
import { noPreferences, type Preferences } from './state/preferences.ts';
import { createSession, type Session, type WriteFile } from './state/session.ts';
import { startUp } from './state/startup.ts';
import { stopSelf, suspension } from './terminal.ts';
import { isUtf8, symbolsFor } from './text/symbols.ts';
import { ColorContext } from './ui/theme.ts';

export type { Preferences } from './state/preferences.ts';

export interface ConsoleOptions {
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  /** Disable all keys that change data (default: as the installation is configured). */
  readOnly?: boolean;
  /** False draws without any style; true uses what Ink's color library detects. */
  color: boolean;
  /** Loads the saved preferences; called after the first frame. */
  preferences?: () => Promise<Preferences>;
  /** Writes exports (default: there are none). */
  writeFile?: WriteFile;
  /** Whether the terminal can show UTF-8 (default: by locale). */
  utf8?: boolean;
  /** Stops the process on Ctrl-Z (default: the process group, as the job control of shells expects). */
  stop?: () => void;
}

/** No limit: `Frames` decides when to draw, because what a key changed must not wait for the next frame. */
const FRAMES_PER_SECOND = 1_000;

/** Passes Ink's `suspendTerminal` out of the component tree. */
function ExposeSuspend({ onOpen }: { onOpen: (suspend: SuspendTerminal) => void }) {
  const { suspendTerminal } = useApp();
  useEffect(() => onOpen(suspendTerminal), [suspendTerminal, onOpen]);
  return null;
}

/** Follows the size of the terminal. Subscribed before Ink, so that the first frame of a new size is correct. */
function followSize(session: Session, frames: Frames, stdout: NodeJS.WriteStream): () => void {
  const resize = () => {
    session.resize(stdout.columns, stdout.rows);
    frames.draw();
  };
  stdout.on('resize', resize);
  return () => void stdout.off('resize', resize);
}

async function waitUntilExit(instance: Instance): Promise<{ error?: unknown }> {
  try {
    await instance.waitUntilExit();
    return {};
  } catch (error) {
    return { error };
  }
}

/**
 * Opens the full-screen console; resolves when the user leaves it or the terminal is gone.
 *
 * The first frame is drawn before the engine is called. The terminal is always restored, also when drawing fails:
 * that error is returned, for the caller to print on the normal screen. When the user quits, jobs that cannot outlive
 * the console have been cancelled; the caller closes the engine, which waits for them to end.
 */
export async function openConsole(engine: Engine, options: ConsoleOptions): Promise<{ error?: unknown }> {
  const {
    stdin,
    stdout,
    preferences = async () => noPreferences(),
    utf8 = isUtf8(process.env),
    stop = stopSelf,
  } = options;
  const keyboard = createKeyboard({ stdin, stdout }, (events) => {
    router.receive(events);
    frames.draw();
  });
  const terminal = suspension(keyboard, stop);
  let instance: Instance | undefined;
  const leave = () => instance?.unmount();
  const session = createSession({
    engine,
    ...(options.writeFile ? { writeFile: options.writeFile } : {}),
    symbols: symbolsFor(utf8),
    read_only: options.readOnly ?? engine.installation.read_only,
    columns: stdout.columns || 80,
    rows: stdout.rows || 24,
    terminal: {
      write: (text) => void stdout.write(text),
      leave,
      repaint: terminal.repaint,
      suspend: terminal.suspend,
    },
  });
  const frames = createFrames(session);
  const router = createRouter(session);
  const unfollow = followSize(session, frames, stdout);
  // Every write to a terminal that is gone fails. The listener is never removed, because the last writes fail late.
  stdout.on('error', leave);
  stdin.on('error', leave);
  stdin.on('end', leave);
  process.on('SIGCONT', terminal.continued);
  session.start();
  instance = render(
    <ColorContext value={options.color}>
      <ExposeSuspend onOpen={terminal.open} />
      <App frames={frames} keyboard={keyboard} />
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
      onRender: () => router.rendered(frames.snapshot()),
    },
  );
  const loading = setImmediate(() => startUp(session, preferences));
  const outcome = await waitUntilExit(instance);
  clearImmediate(loading);
  router.close();
  frames.close();
  session.close();
  unfollow();
  stdin.off('end', leave);
  process.off('SIGCONT', terminal.continued);
  return outcome;
}
