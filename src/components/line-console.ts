import { createInterface } from 'node:readline';
import type { Engine } from '../core/index.ts';
import { createRouter } from './input/router.ts';
import { typeLine } from './lines/commands.ts';
import { createPrinter } from './lines/printer.ts';
import { noPreferences, type Preferences } from './state/preferences.ts';
import { createSession } from './state/session.ts';
import { startUp } from './state/startup.ts';
import { SPOKEN } from './text/symbols.ts';

export interface LineConsoleOptions {
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  /** Disable all commands that change data (default: as the installation is configured). */
  readOnly?: boolean;
  /** Why no other installation can be opened; this one is not remembered then. */
  fixed?: string;
  /** Loads the saved preferences. */
  preferences?: () => Promise<Preferences>;
}

/** Of a screen that is never drawn: wide enough that no path is broken. */
const COLUMNS = 300;
const ROWS = 40;

/**
 * The console for screen readers: everything is printed as lines of text, and commands are typed as lines. The same
 * session, commands and dialogs as the full-screen console; it moves no cursor and needs no raw mode. Resolves when the
 * user leaves it or the terminal is gone, with the installation to open next.
 */
export async function openLineConsole(
  engine: Engine,
  options: LineConsoleOptions,
): Promise<{ next?: string }> {
  const { stdin, stdout, preferences = async () => noPreferences() } = options;
  const ended = Promise.withResolvers<{ next?: string }>();
  const input = createInterface({ input: stdin, terminal: false });
  const session = createSession({
    engine,
    symbols: SPOKEN,
    read_only: options.readOnly ?? engine.installation.read_only,
    fixed: options.fixed,
    columns: COLUMNS,
    rows: ROWS,
    terminal: {
      // Only sequences that print nothing, such as a copy to the clipboard.
      write: (text) => void stdout.write(text),
      repaint: () => show(printer.again(session.snapshot())),
      suspend: () => {},
      leave: (next) => ended.resolve(next === undefined ? {} : { next }),
    },
  });
  const router = createRouter(session);
  const printer = createPrinter();
  let printing: NodeJS.Immediate | undefined;

  function print(lines: readonly string[]): void {
    if (lines.length > 0) stdout.write(`${lines.join('\n')}\n`);
  }

  function show(lines: readonly string[]): void {
    print(lines);
    // A question that was printed can be answered from now on.
    router.rendered(session.snapshot());
  }

  /** Prints once for all changes of a turn of the event loop. */
  function printChanges(): void {
    printing ??= setImmediate(() => {
      printing = undefined;
      if (!session.ended.aborted) show(printer.changes(session.snapshot()));
    });
  }

  const leave = () => session.leave();
  const unsubscribe = session.subscribe(printChanges);
  stdout.on('error', leave);
  stdin.on('error', leave);
  input.on('close', leave);
  input.on('line', (line) => {
    const answer = typeLine({ session, router }, line);
    if (session.ended.aborted) return;
    if (answer === 'screen') show(printer.again(session.snapshot()));
    else if (answer === 'changes') printChanges();
    else print(answer);
  });
  session.start();
  print([`bifract ${engine.installation.dir}. Type help for the commands.`]);
  startUp(session, preferences);
  const result = await ended.promise;
  clearImmediate(printing);
  unsubscribe();
  router.close();
  session.close();
  input.off('close', leave);
  input.close();
  return result;
}
