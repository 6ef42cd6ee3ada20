import { type ConsoleOptions, openConsole } from '../../src/components/index.tsx';
import { busyEngine, type FakeEngine } from './fake-engine.ts';
import { FakeTerminal } from './terminal.ts';

/** A console on a fake terminal and a fake engine, closed with its scope. */
export interface OpenConsole extends AsyncDisposable {
  terminal: FakeTerminal;
  engine: FakeEngine;
  /** Resolves when the console has been left. */
  left: Promise<{ error?: unknown }>;
}

interface Opening extends Partial<ConsoleOptions> {
  columns?: number;
  rows?: number;
  engine?: FakeEngine;
}

/** Opens a console, by default on the busy installation at 80x24. */
export function startConsole(opening: Opening = {}): OpenConsole {
  const { columns = 80, rows = 24, engine = busyEngine(), ...options } = opening;
  const terminal = new FakeTerminal(columns, rows);
  const left = openConsole(engine, {
    stdin: terminal.stdin,
    stdout: terminal.stdout,
    color: false,
    utf8: true,
    ...options,
  });
  return {
    terminal,
    engine,
    left,
    async [Symbol.asyncDispose]() {
      // The end of the keyboard is the end of the console, whatever is on the screen.
      terminal.stdin.emit('end');
      await left;
      terminal.dispose();
    },
  };
}
