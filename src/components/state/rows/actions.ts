import { type ArchiveBrowser, asBifractError, type BrowsedRow } from '../../../core/index.ts';
import { formatExact } from '../../../core/text/units.ts';
import {
  lineColumns,
  matchAt,
  type RowsView,
  rowAtCursor,
  rowLine,
  rowsScreen,
  rowsView,
} from '../../view/browse.ts';
import { JUMP_HINT, notATime, parseJump } from '../../view/jump-time.ts';
import { matchesIn, parseSearch, SEARCH_HINT } from '../../view/search.ts';
import { listKey } from '../../view/snapshot.ts';
import type { MatchCount, Search, Snapshot } from '../../view/types.ts';
import { openPrompt } from '../dialogs.ts';
import type { Session } from '../session.ts';
import { lineOf, MAX_LINE } from './window.ts';

/** Later than any time in an archive. */
const END_OF_TIME = '9999-12-31T23:59:59.999999999Z';

/** Moves the cursor to a row; one that is off the screen is scrolled into its upper third. */
export function goToRow(session: Session, index: number) {
  const snapshot = session.snapshot();
  const screen = rowsScreen(snapshot);
  const view = rowsView(snapshot);
  if (!screen || !view) return;
  const visible = index >= view.top && index < view.top + view.height;
  const top = visible ? view.top : Math.max(0, index - Math.floor(view.height / 3));
  session.dispatch({ type: 'position', key: listKey(screen), index, top });
  session.dispatch({ type: 'scroll', key: `row:${screen.subject}`, top: 0 });
}

/** Moves by rows or pages, or to the first or last row. If the number of rows is unknown, the archive is read to its end. */
export function moveInRows(session: Session, by: { rows?: number; pages?: number; to?: 'first' | 'last' }) {
  const snapshot = session.snapshot();
  const screen = rowsScreen(snapshot);
  const view = rowsView(snapshot);
  if (!screen || !view) return;
  if (by.to === 'last' && !snapshot.browse?.complete) return void goToEnd(session);
  const steps = (by.rows ?? 0) + Math.round((by.pages ?? 0) * Math.max(1, view.height - 1));
  const wanted = by.to === 'first' ? 0 : by.to === 'last' ? view.count - 1 : view.index + steps;
  const index = Math.max(0, Math.min(view.count - 1, wanted));
  const top = by.pages ? Math.max(0, view.top + index - view.index) : view.top;
  session.dispatch({ type: 'position', key: listKey(screen), index, top });
  session.dispatch({ type: 'scroll', key: `row:${screen.subject}`, top: 0 });
}

/** Scrolls the lines of the rows by half of their width, at most to the end of the longest one. */
export function shiftRows(session: Session, direction: 'left' | 'right') {
  const snapshot = session.snapshot();
  const screen = rowsScreen(snapshot);
  const view = rowsView(snapshot);
  if (!screen || !view) return;
  const half = Math.floor(lineColumns(snapshot) / 2);
  const last = Math.max(0, longestLine(snapshot, view) - half);
  const left =
    direction === 'left' ? view.left - half : Math.min(view.left + half, Math.max(view.left, last));
  session.dispatch({ type: 'shift', key: listKey(screen), left: Math.max(0, left) });
}

function longestLine({ browse }: Snapshot, { top, height }: RowsView): number {
  const rows = Array.from({ length: height }, (_, line) => browse && rowLine(browse, top + line));
  return rows.reduce((longest, row) => Math.max(longest, row && 'line' in row ? row.line.length : 0), 0);
}

type Task<T> = (browser: ArchiveBrowser, signal: AbortSignal) => Promise<T>;

/** Runs a slow task on the archive and reports its errors. */
export async function runTask<T>(session: Session, what: string, task: Task<T>): Promise<T | undefined> {
  try {
    return await session.browsing.run(what, task);
  } catch (error) {
    const { message, hint } = asBifractError(error).report();
    session.notify('error', `${what}: ${message}`, { hint });
    return undefined;
  }
}

/** The number of rows. If it is unknown, the archive is read to its end; undefined if that fails or is stopped. */
export async function countRows(session: Session): Promise<number | undefined> {
  const { browse } = session.snapshot();
  if (browse?.complete) return browse.rows;
  return runTask(session, 'Reading to the end', (browser, signal) => browser.at(END_OF_TIME, { signal }));
}

async function goToEnd(session: Session) {
  const rows = await countRows(session);
  if (rows !== undefined) goToRow(session, Math.max(0, rows - 1));
}

/** Reads one row in full; reports the error and returns undefined if that fails. */
export async function readRow(session: Session, index: number): Promise<BrowsedRow | undefined> {
  try {
    return await session.browsing.row(index);
  } catch (error) {
    const { message, hint } = asBifractError(error).report();
    session.notify('error', `Cannot read row ${formatExact(index + 1)}: ${message}`, { hint });
    return undefined;
  }
}

/** The last match that a search went to. */
const lastFound = new WeakMap<Search, number>();

/** Whether the cursor was moved to the first or last row, which the search has not visited. */
function isAtStart(session: Session, search: Search, direction: 'next' | 'previous'): boolean {
  const { browse } = session.snapshot();
  const cursor = rowAtCursor(session.snapshot()) ?? 0;
  if (!browse || lastFound.get(search) === cursor) return false;
  return direction === 'next' ? cursor === 0 : browse.complete && cursor === browse.rows - 1;
}

/** Goes to the nearest match of the current search, including the row under the cursor if `included`. */
export async function findMatch(session: Session, direction: 'next' | 'previous', included = false) {
  const { browse } = session.snapshot();
  const search = browse?.search;
  const cursor = rowAtCursor(session.snapshot()) ?? 0;
  if (!browse || !search) return;
  const here = included || isAtStart(session, search, direction);
  const from = here ? cursor : cursor + (direction === 'next' ? 1 : -1);
  const verb = direction === 'next' ? 'Searching' : 'Searching backward';
  const what = `${verb} for ${search.input} from row ${formatExact(cursor + 1)}`;
  const counted = countedMatch(browse.count, from, direction);
  const found =
    counted === undefined
      ? await runTask(session, what, (browser, signal) =>
          browser.find(search.pattern, from, direction, { signal }),
        )
      : counted;
  if (found === undefined || session.browsing.state()?.search !== search) return;
  session.browsing.count();
  if (found !== null) {
    lastFound.set(search, found);
    goToRow(session, found);
    return showMatch(session, search, found);
  }
  const hint = direction === 'next' ? 'g, then n: search from the top' : 'G, then N: search from the bottom';
  session.notify('warn', `No match for "${search.input}" ${direction === 'next' ? 'below' : 'above'}`, {
    hint,
  });
}

/** The nearest match if it has been counted already, null if there is none; undefined if that is unknown. */
function countedMatch(
  count: MatchCount | undefined,
  from: number,
  direction: 'next' | 'previous',
): number | null | undefined {
  if (!count || (from >= count.searched && count.ended !== 'complete')) return undefined;
  const { rows, total, ended } = count;
  const at = matchAt(rows, total, direction === 'next' ? from : from + 1);
  const found = direction === 'next' ? (at < total ? rows[at] : undefined) : rows[at - 1];
  return found ?? (direction === 'previous' || ended === 'complete' ? null : undefined);
}

/** Part of a line before its match; and how far into a line its match is looked for. */
const BEFORE_MATCH = 200;
const MAX_SEARCHED = 100_000;

/** Loads the part of a long line that contains its first match. */
async function showMatch(session: Session, search: Search, index: number) {
  const row = await readRow(session, index);
  const { browse } = session.snapshot();
  if (!row || row.raw.length <= MAX_LINE || browse?.search !== search) return;
  const start = matchesIn([row.raw.slice(0, MAX_SEARCHED)], search)[0]?.[0]?.[0] ?? 0;
  if (start > MAX_LINE - BEFORE_MATCH) session.browsing.found(lineOf(row, start - BEFORE_MATCH));
}

function startSearch(session: Session, search: Search) {
  session.browsing.searchFor(search);
  void findMatch(session, 'next', true);
}

/** Prompts for a search and runs it from the row under the cursor. */
export function promptSearch(session: Session) {
  openPrompt(session, {
    prefix: '/',
    hint: SEARCH_HINT,
    text: session.snapshot().browse?.search?.input ?? '',
    submit(text) {
      if (text === '') return void session.browsing.searchFor(undefined);
      const search = parseSearch(text);
      if ('problem' in search) return search.problem;
      startSearch(session, search);
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
  const index = await runTask(session, `Going to ${time}`, (browser, signal) => browser.at(time, { signal }));
  const { browse } = session.snapshot();
  if (index === undefined || !browse) return;
  goToRow(session, Math.max(0, Math.min(index, browse.rows - 1)));
  if (index >= browse.rows) session.notify('warn', `All rows are earlier than ${time}; this is the last one`);
}

/** Prompts for a time and goes to the first row at or after it. */
export function promptTime(session: Session) {
  openPrompt(session, {
    prefix: 'time',
    hint: JUMP_HINT,
    text: '',
    submit(text) {
      if (text.trim() === '') return undefined;
      const time = parseJump(text, timeAtCursor(session));
      if (time === undefined) return notATime(text);
      void jump(session, time);
      return undefined;
    },
  });
}
