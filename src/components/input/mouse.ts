import { go, move } from '../state/navigation.ts';
import { goToRow } from '../state/rows/actions.ts';
import type { Session } from '../state/session.ts';
import { isTooSmall, tableHeight } from '../text/layout.ts';
import { hintAt } from '../view/hints.ts';
import { hitAt } from '../view/hit.ts';
import { rowsAt } from '../view/lists/index.ts';
import { currentScreen, listKey } from '../view/snapshot.ts';
import type { Mode, ScreenName, Snapshot } from '../view/types.ts';
import type { MouseInput } from './events.ts';
import { hintsAt } from './hints.ts';

/** The mouse: the wheel moves, a click selects or presses the key of a hint. It never answers a dialog. */
export interface Mouse {
  /** Handles an event on what was on the screen. */
  receive(event: MouseInput, shown: Snapshot): void;
}

const WHEEL_ROWS = 3;
/** Screens on which a step is more than a line. */
const SINGLE_STEPS: ReadonlySet<ScreenName> = new Set(['wizard', 'coverage']);
/** Modes in which the screen below can be used. */
const OPEN_MODES: ReadonlySet<Mode['name']> = new Set(['keys', 'filter']);

/** `press` handles a key. */
export function createMouse(session: Session, press: (key: string) => void): Mouse {
  /** The row that was clicked last: the next click on it opens it. */
  let clicked: string | undefined;

  function wheel(by: -1 | 1) {
    const snapshot = session.snapshot();
    const { mode } = snapshot.ui;
    if (mode.name === 'dialog') return press(by < 0 ? 'pgup' : 'pgdn');
    if (mode.name === 'prompt') return;
    if (!OPEN_MODES.has(mode.name)) return press(by < 0 ? 'up' : 'down');
    const single = SINGLE_STEPS.has(currentScreen(snapshot).name);
    move(session, { rows: by * (single ? 1 : WHEEL_ROWS) });
  }

  function pressHint(column: number, shown: Snapshot) {
    const key = hintAt(hintsAt(shown), shown.columns, column)?.press;
    if (key === undefined || (session.snapshot().ui.mode.name === 'dialog' && key !== 'esc')) return;
    press(key);
  }

  /** Moves the cursor to a row, or opens it if it was clicked before. */
  function clickRow(id: string): void {
    const snapshot = session.snapshot();
    const key = listKey(currentScreen(snapshot));
    const view = rowsAt(snapshot);
    const ids = view?.rows.map((row) => row.id) ?? [];
    const index = ids.indexOf(id);
    if (!view || index < 0) return;
    const place = `${key} ${id}`;
    const again = clicked === place && view.index === index;
    clicked = again ? undefined : place;
    if (again) press('enter');
    else session.dispatch({ type: 'cursor', key, ids, index, height: tableHeight(snapshot) });
  }

  function clickLine(index: number): void {
    const place = `line ${index}`;
    const again = clicked === place;
    clicked = again ? undefined : place;
    if (again) press('enter');
    else goToRow(session, index);
  }

  function click({ column, row }: MouseInput, shown: Snapshot) {
    const hit = hitAt(shown, column, row);
    if (hit?.what === 'footer') return pressHint(column, shown);
    const { mode } = session.snapshot().ui;
    // What is below an overlay, or changed its meaning since it was drawn, is not clicked.
    if (!OPEN_MODES.has(mode.name) || mode.name !== shown.ui.mode.name) return;
    if (currentScreen(shown) !== currentScreen(session.snapshot())) return;
    if (hit?.what === 'tab') go(session, { name: hit.name });
    if (hit?.what === 'row') clickRow(hit.id);
    if (hit?.what === 'line') clickLine(hit.index);
  }

  return {
    receive(event, shown) {
      const { settings } = session.snapshot();
      if (!settings.mouse || event.modified || isTooSmall(shown)) return;
      if (event.action === 'wheel-up') wheel(-1);
      if (event.action === 'wheel-down') wheel(1);
      if (event.action === 'press' && event.button === 'left') click(event, shown);
    },
  };
}
