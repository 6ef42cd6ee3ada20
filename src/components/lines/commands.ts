import type { Command } from '../input/commands/command.ts';
import { commandsAt, setFilter } from '../input/keymap.ts';
import { paletteEntries } from '../input/palette.ts';
import type { Router } from '../input/router.ts';
import { move } from '../state/navigation.ts';
import type { Session } from '../state/session.ts';
import { applyChoice } from '../state/wizard/actions.ts';
import { rowsAt } from '../view/lists/index.ts';
import { currentScreen } from '../view/snapshot.ts';
import type { DialogState, Snapshot } from '../view/types.ts';
import { PAGE_ROWS } from './screen.ts';

/** What to print after a typed line. */
export type Answer = 'screen' | 'changes' | readonly string[];

interface Typing {
  session: Session;
  router: Router;
}

/** Commands that need a screen: they choose columns, or draw over it. */
const VISUAL: ReadonlySet<string> = new Set(['palette', 'columns', 'filter', 'help', 'repaint', 'suspend']);

function press({ router }: Typing, ...keys: string[]): void {
  router.receive(keys.map((name) => ({ type: 'key', name })));
}

/** Handles a typed line: all keys go through the router, so that dialogs and commands are those of the full-screen console. */
export function typeLine(typing: Typing, line: string): Answer {
  const { session } = typing;
  const { mode } = session.snapshot().ui;
  const text = line.trim();
  if (mode.name === 'dialog') return answerDialog(typing, text, mode.dialog);
  if (mode.name === 'prompt') {
    if (text === 'esc') press(typing, 'esc');
    else if (text === '') press(typing, 'enter');
    else press(typing, 'ctrl-u', ...Array.from(text), 'enter');
    return 'changes';
  }
  if (text === '') return 'screen';
  return runLine(typing, text);
}

/** Enter takes the safe answer with the focus; any other answer must be typed as it is named. */
function answerDialog(typing: Typing, text: string, dialog: DialogState): Answer {
  const isAnswer = dialog.options.some(({ key }) => key === text) || text === 'esc';
  if (text === '') press(typing, 'enter');
  else if (isAnswer) press(typing, text);
  else if (dialog.confirmation === undefined) return [`Not an answer: ${text}`];
  else press(typing, 'ctrl-u', ...Array.from(text));
  return 'changes';
}

const OWN: Readonly<Record<string, (typing: Typing, rest: string) => Answer>> = {
  help: ({ session }) => helpLines(session.snapshot()),
  list: () => 'screen',
  next: ({ session }) => turnPage(session, 1),
  previous: ({ session }) => turnPage(session, -1),
  filter({ session }, rest) {
    setFilter(session, rest);
    return 'screen';
  },
  jump({ session }, rest) {
    const entry = paletteEntries(session.snapshot(), rest).find(({ key }) => key === '');
    if (!entry) return [`Nothing matches: ${rest}`];
    entry.run(session);
    return 'changes';
  },
};

function runLine(typing: Typing, text: string): Answer {
  const [, number, rest = ''] = /^(\d+)(?:\s+(.*))?$/.exec(text) ?? [];
  if (number !== undefined) return runOnRow(typing, Number(number) - 1, rest);
  const [, word = '', argument = ''] = /^(\S+)\s*(.*)$/.exec(text) ?? [];
  const own = OWN[word.toLowerCase()];
  if (own) return own(typing, argument);
  return runCommand(typing, text);
}

function runCommand(typing: Typing, text: string): Answer {
  const command = findCommand(typing.session.snapshot(), text);
  if (!command) return [`Unknown command: ${text}. Type help.`];
  press(typing, ...command.keys.slice(0, 1));
  // A screen is read out even if it was there already.
  return command.group === 'go' ? 'screen' : 'changes';
}

/** Moves to a row or a choice, by its number, and runs a command on it. */
function runOnRow(typing: Typing, index: number, command: string): Answer {
  const { session } = typing;
  const snapshot = session.snapshot();
  if (currentScreen(snapshot).name === 'wizard') {
    session.wizard.change({ index });
    applyChoice(session);
    return 'screen';
  }
  const view = rowsAt(snapshot);
  // Where nothing is numbered, a number is the key of a screen.
  if (!view) return runCommand(typing, String(index + 1));
  if (index < 0 || index >= view.rows.length) return [`There is no row ${index + 1}`];
  move(session, { rows: index - view.index });
  return command === '' ? 'screen' : runLine(typing, command);
}

function turnPage(session: Session, by: 1 | -1): Answer {
  move(session, rowsAt(session.snapshot()) ? { rows: by * PAGE_ROWS } : { pages: by });
  return 'screen';
}

/** A command by its name, its key, or the start of its name if that is unique. */
function findCommand(snapshot: Snapshot, text: string): Command | undefined {
  const commands = commandsAt(snapshot).filter(({ name }) => !VISUAL.has(name));
  const starting = commands.filter(({ name }) => name.startsWith(text.toLowerCase()));
  return (
    commands.find(({ name }) => name === text.toLowerCase()) ??
    commands.find(({ keys }) => keys.includes(text)) ??
    (starting.length === 1 ? starting[0] : undefined)
  );
}

function helpLines(snapshot: Snapshot): string[] {
  const commands = commandsAt(snapshot).filter(({ name, group }) => !VISUAL.has(name) && group !== 'move');
  return [
    'Commands, by name or by the key in parentheses. A number before it is the row: 3 open.',
    ...commands.map((command) => {
      const why = command.disabled?.(snapshot);
      return `${command.name} (${command.keys[0]}): ${command.description}${why ? `. Not now: ${why}` : ''}`;
    }),
    'list, or only Enter: read the screen again. next, previous: turn the page.',
    'filter TEXT: show only matching rows; filter: show all.',
    'jump NAME: go to a fractal, archive, backup or installation.',
  ];
}
