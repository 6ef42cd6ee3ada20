import { type Instance, render, type SuspendTerminal, useApp } from 'ink';
import { useEffect, useLayoutEffect } from 'react';
import type { Engine } from '../core/index.ts';
import { App } from './app.tsx';
import { createFrames, type Frames } from './frames.ts';
import { createBackgroundQuery } from './input/background-query.ts';
import { createKeyboard } from './input/keyboard.ts';
import { createRouter } from './input/router.ts';
import { createReporter, type Reporter } from './reporter.ts';
import { createScreen } from './screen.ts';
import { noPreferences, type Preferences } from './state/preferences.ts';
import { createSession, type Session, type WriteFile } from './state/session.ts';
import { startUp } from './state/startup.ts';
import { stopSelf, suspension } from './terminal.ts';
import { backgroundOfEnvironment, type ColorLevel, type ThemeChoice } from './text/colors.ts';
import { type TerminalAbilities, terminalAbilities } from './text/osc.ts';
import { isUtf8, symbolsFor } from './text/symbols.ts';

export type { Preferences } from './state/preferences.ts';

export interface ConsoleOptions {
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  /** Disable all keys that change data (default: as the installation is configured). */
  readOnly?: boolean;
  /** Why no other installation can be opened; this one is not remembered then. */
  fixed?: string;
  /** What the terminal can draw; see `colorLevel`. Ink's color library must have been loaded with FORCE_COLOR=3. */
  colors: ColorLevel;
  /** The theme of this run (default: the saved setting). */
  theme?: ThemeChoice;
  /** Loads the saved preferences; called after the first frame. */
  preferences?: () => Promise<Preferences>;
  /** Writes exports (default: there are none). */
  writeFile?: WriteFile;
  /** Whether the terminal can show UTF-8 (default: by locale). */
  utf8?: boolean;
  /** What the terminal supports besides text (default: by the environment). */
  abilities?: TerminalAbilities;
  /** Stops the process on Ctrl-Z (default: the process group, as the job control of shells expects). */
  stop?: () => void;
}

/** How the console ended. */
export interface ConsoleEnd {
  /** Why a frame could not be drawn. */
  error?: unknown;
  /** The directory of the installation that the user wants to open now. */
  next?: string;
}

/** No limit: `Frames` decides when to draw, because what a key changed must not wait for the next frame. */
const FRAMES_PER_SECOND = 1_000;

/** Passes Ink's `suspendTerminal` out of the component tree. */
function ExposeSuspend({ onOpen }: { onOpen: (suspend: SuspendTerminal) => void }) {
  const { suspendTerminal } = useApp();
  useEffect(() => onOpen(suspendTerminal), [suspendTerminal, onOpen]);
  return null;
}

/** Reports to the terminal while the console is drawn. Ink runs the cleanup before it leaves the screen, however it ends. */
function Report({ reporter }: { reporter: Reporter }) {
  useLayoutEffect(() => {
    reporter.start();
    return reporter.close;
  }, [reporter]);
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

/** Whether the background of the terminal can decide how it is drawn. */
function dependsOnBackground({ colors, theme = 'auto' }: ConsoleOptions): boolean {
  return theme === 'auto' && colors !== 'none' && colors !== '16';
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
export async function openConsole(engine: Engine, options: ConsoleOptions): Promise<ConsoleEnd> {
  const {
    stdin,
    stdout,
    preferences = async () => noPreferences(),
    utf8 = isUtf8(process.env),
    abilities = terminalAbilities(process.env),
    stop = stopSelf,
  } = options;
  const write = (text: string) => void stdout.write(text);
  const query = createBackgroundQuery(write, (background) => session.setBackground(background));
  const keyboard = createKeyboard({ stdin, stdout }, (events) => {
    query.receive(events);
    router.receive(events);
    frames.draw();
  });
  const terminal = suspension(keyboard, stop, {
    begin: () => reporter.stop(),
    end: () => reporter.start(),
  });
  let instance: Instance | undefined;
  const leave = () => instance?.unmount();
  let next: string | undefined;
  const onceAnswered = (action: () => void) => () => void query.answered().then(action);
  const session = createSession({
    engine,
    ...(options.writeFile ? { writeFile: options.writeFile } : {}),
    symbols: symbolsFor(utf8),
    colors: options.colors,
    theme: options.theme,
    background: backgroundOfEnvironment(process.env),
    read_only: options.readOnly ?? engine.installation.read_only,
    fixed: options.fixed,
    columns: stdout.columns || 80,
    rows: stdout.rows || 24,
    terminal: {
      write,
      leave: (dir) => {
        next = dir;
        onceAnswered(leave)();
      },
      repaint: onceAnswered(terminal.repaint),
      suspend: onceAnswered(terminal.suspend),
    },
  });
  const frames = createFrames(session);
  const reporter = createReporter(frames, abilities, write);
  const router = createRouter(session);
  const unfollow = followSize(session, frames, stdout);
  // Every write to a terminal that is gone fails. The listener is never removed, because the last writes fail late.
  stdout.on('error', leave);
  stdin.on('error', leave);
  stdin.on('end', leave);
  process.on('SIGCONT', terminal.continued);
  session.start();
  // Keys that were typed before may have been echoed, and Ink takes the first column for granted.
  write('\r');
  instance = render(
    <>
      <ExposeSuspend onOpen={terminal.open} />
      <Report reporter={reporter} />
      <App frames={frames} keyboard={keyboard} colors={options.colors} />
    </>,
    {
      stdin,
      stdout: createScreen(stdout),
      alternateScreen: true,
      exitOnCtrlC: false,
      patchConsole: true,
      interactive: Boolean(stdout.isTTY),
      maxFps: FRAMES_PER_SECOND,
      onRender: () => router.rendered(frames.snapshot()),
    },
  );
  const loading = setImmediate(() => {
    if (dependsOnBackground(options)) query.ask();
    startUp(session, preferences);
  });
  const outcome = await waitUntilExit(instance);
  clearImmediate(loading);
  router.close();
  frames.close();
  session.close();
  unfollow();
  stdin.off('end', leave);
  process.off('SIGCONT', terminal.continued);
  return next === undefined ? outcome : { ...outcome, next };
}
