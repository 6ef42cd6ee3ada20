import { type ArchiveBrowser, asBifractError, type BrowsedRow } from '../../core/index.ts';
import { rowAtCursor, rowLine, rowsPlace, rowsView } from '../view/browse.ts';
import type { Search } from '../view/file-types.ts';
import { JUMP_HINT, parseJump } from '../view/jump-time.ts';
import { listKey } from '../view/lists/index.ts';
import { parseSearch, SEARCH_HINT } from '../view/search.ts';
import { formatExact } from '../view/units.ts';
import { askLine } from './deeds.ts';
import type { Session } from './session.ts';

/** After every time that an archive can hold. */
const END_OF_TIME = '9999-12-31T23:59:59.999999999Z';

/** Moves the cursor to a row; one that was not on the screen comes to stand in its upper third. */
export function goToRow(session: Session, index: number) {
  const snapshot = session.snapshot();
  const place = rowsPlace(snapshot);
  const view = rowsView(snapshot);
  if (!place || !view) return;
  const seen = index >= view.top && index < view.top + view.height;
  const top = seen ? view.top : Math.max(0, index - Math.floor(view.height / 3));
  session.dispatch({ type: 'at', key: listKey(place), index, top });
  session.dispatch({ type: 'scroll', key: `row:${place.subject}`, top: 0 });
}

/** Moves by rows or pages, or to an end. The end of a file whose length is not known is looked for. */
export function moveInRows(session: Session, by: { rows?: number; pages?: number; to?: 'first' | 'last' }) {
  const snapshot = session.snapshot();
  const place = rowsPlace(snapshot);
  const view = rowsView(snapshot);
  if (!place || !view) return;
  if (by.to === 'last' && !snapshot.browse?.complete) return void seekEnd(session);
  const steps = (by.rows ?? 0) + (by.pages ?? 0) * Math.max(1, view.height - 1);
  const wanted = by.to === 'first' ? 0 : by.to === 'last' ? view.count - 1 : view.index + steps;
  const index = Math.max(0, Math.min(view.count - 1, wanted));
  const top = by.pages ? Math.max(0, view.top + index - view.index) : view.top;
  session.dispatch({ type: 'at', key: listKey(place), index, top });
  session.dispatch({ type: 'scroll', key: `row:${place.subject}`, top: 0 });
}

type Work<T> = (browser: ArchiveBrowser, signal: AbortSignal) => Promise<T>;

/** Does something slow with the archive; what goes wrong is told. */
async function work<T>(session: Session, what: string, doIt: Work<T>): Promise<T | undefined> {
  try {
    return await session.browsing.work(what, doIt);
  } catch (error) {
    const { message, hint } = asBifractError(error).report();
    session.say('error', `${what}: ${message}`, { hint });
    return undefined;
  }
}

async function seekEnd(session: Session) {
  const rows = await work(session, 'Reading on to the end', (browser, signal) =>
    browser.at(END_OF_TIME, { signal }),
  );
  if (rows !== undefined) goToRow(session, Math.max(0, rows - 1));
}

/** The whole row; undefined where it cannot be read, which is told. */
export async function readRow(session: Session, index: number): Promise<BrowsedRow | undefined> {
  try {
    return await session.browsing.row(index);
  } catch (error) {
    const { message, hint } = asBifractError(error).report();
    session.say('error', `Row ${formatExact(index + 1)}: ${message}`, { hint });
    return undefined;
  }
}

/** Goes to the nearest match of what was looked for last, the row under the cursor included or not. */
export async function findMatch(session: Session, direction: 'next' | 'previous', included = false) {
  const { browse } = session.snapshot();
  const search = browse?.search;
  const cursor = rowAtCursor(session.snapshot()) ?? 0;
  if (!browse || !search) return;
  const from = included ? cursor : cursor + (direction === 'next' ? 1 : -1);
  const way = direction === 'next' ? 'downwards' : 'upwards';
  const what = `Searching ${way} for ${search.typed} from row ${formatExact(cursor + 1)}`;
  const found = await work(session, what, (browser, signal) =>
    browser.find(search.pattern, from, direction, { signal }),
  );
  if (found === undefined) return;
  if (found !== null) return goToRow(session, found);
  const end =
    direction === 'next' ? 'g goes to the first row, n searches from there' : 'G goes to the last row';
  session.say('warn', `No match ${direction === 'next' ? 'below' : 'above'} for ${search.typed}`, {
    hint: end,
  });
}

function begin(session: Session, search: Search) {
  session.browsing.searchFor(search);
  void findMatch(session, 'next', true);
}

/** Asks what is to be looked for, and looks for it from the row under the cursor on. */
export function askSearch(session: Session) {
  askLine(session, {
    sign: '/',
    hint: SEARCH_HINT,
    text: session.snapshot().browse?.search?.typed ?? '',
    take(text) {
      if (text === '') return void session.browsing.searchFor(undefined);
      const search = parseSearch(text);
      if ('trouble' in search) return search.trouble;
      begin(session, search);
      return undefined;
    },
  });
}

function timeAtCursor(session: Session): string | null {
  const snapshot = session.snapshot();
  const { browse } = snapshot;
  const index = rowAtCursor(snapshot);
  const line = browse && index !== undefined ? rowLine(browse, index) : undefined;
  return line && 'ts' in line ? line.ts : (browse?.report?.first ?? null);
}

async function jump(session: Session, time: string) {
  const index = await work(session, `Looking for ${time}`, (browser, signal) => browser.at(time, { signal }));
  const { browse } = session.snapshot();
  if (index === undefined || !browse) return;
  goToRow(session, Math.max(0, Math.min(index, browse.rows - 1)));
  if (index >= browse.rows) session.say('warn', `All rows are before ${time}: this is the last one`);
}

/** Asks for a time, and goes to the first row at or after it. */
export function askTime(session: Session) {
  askLine(session, {
    sign: 'time',
    hint: JUMP_HINT,
    text: '',
    take(text) {
      if (text.trim() === '') return undefined;
      const time = parseJump(text, timeAtCursor(session));
      if (time === undefined) return 'This is no time';
      void jump(session, time);
      return undefined;
    },
  });
}
