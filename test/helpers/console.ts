import { type ConsoleEnd, type ConsoleOptions, openConsole } from '../../src/components/index.tsx';
import { busyEngine, type FakeEngine } from './fake-engine.ts';
import { FakeTerminal } from './terminal.ts';

/** A console on a fake terminal and a fake engine; disposing closes it. */
export interface OpenConsole extends AsyncDisposable {
  terminal: FakeTerminal;
  engine: FakeEngine;
  /** Resolves when the user has left the console. */
  left: Promise<ConsoleEnd>;
}

export interface StartOptions extends Partial<ConsoleOptions> {
  columns?: number;
  rows?: number;
  engine?: FakeEngine;
  terminal?: FakeTerminal;
}

/** Opens a console, by default on the busy installation at 80x24. */
export function startConsole(options: StartOptions = {}): OpenConsole {
  const { columns = 80, rows = 24, engine = busyEngine(), ...others } = options;
  const { terminal = new FakeTerminal(columns, rows), ...consoleOptions } = others;
  const left = openConsole(engine, {
    stdin: terminal.stdin,
    stdout: terminal.stdout,
    colors: 'none',
    utf8: true,
    ...consoleOptions,
  });
  return {
    terminal,
    engine,
    left,
    async [Symbol.asyncDispose]() {
      // The console closes at the end of its input, whatever is on the screen.
      terminal.stdin.emit('end');
      await left;
      terminal.dispose();
    },
  };
}

/** Starts a backup with keys. */
export async function startBackup(terminal: FakeTerminal): Promise<void> {
  await terminal.press('b');
  await terminal.waitFor('Back up the PostgreSQL database?');
  await terminal.press('y');
}
