import { canCopy, copy } from '../../state/copy-menu.ts';
import { exportMatches } from '../../state/export/export.ts';
import { back, openRow } from '../../state/navigation.ts';
import { findMatch, moveInRows, promptSearch, promptTime, shiftRows } from '../../state/rows/actions.ts';
import { promptRowNumber } from '../../state/rows/row-number.ts';
import type { Session } from '../../state/session.ts';
import { currentScreen } from '../../view/snapshot.ts';
import type { ScreenName, Snapshot } from '../../view/types.ts';
import type { Command } from './command.ts';

const BOTH: readonly ScreenName[] = ['rows', 'row'];

function noRows({ browse }: Snapshot): string | undefined {
  if (browse?.opening) return 'the archive is still opening';
  return browse?.report && (browse.rows > 0 || !browse.complete) ? undefined : 'the archive has no rows';
}

function noSearch(snapshot: Snapshot): string | undefined {
  return noRows(snapshot) ?? (snapshot.browse?.search ? undefined : 'no search is active; press / to search');
}

function noShift(snapshot: Snapshot): string | undefined {
  return noRows(snapshot) ?? (snapshot.settings.wrap ? 'lines are wrapped; press w to cut them' : undefined);
}

/** Stops the running task, else clears the search, else goes back. */
function stopOrBack(session: Session) {
  if (session.browsing.stop()) return session.notify('info', 'Stopped');
  const snapshot = session.snapshot();
  if (currentScreen(snapshot).name === 'rows' && snapshot.browse?.search)
    return session.browsing.searchFor(undefined);
  back(session);
}

/** Commands on the rows of an archive. */
export const ROWS: readonly Command[] = [
  {
    name: 'show row',
    keys: ['enter'],
    label: 'row',
    description: 'Show the complete row: log line, times, parsed fields',
    screens: ['rows'],
    group: 'here',
    changesData: false,
    disabled: noRows,
    run: openRow,
  },
  {
    name: 'leave rows',
    keys: ['esc', 'backspace'],
    label: 'back',
    description: 'Stop the running search, clear the search, or go back',
    screens: ['rows'],
    group: 'here',
    changesData: false,
    run: stopOrBack,
  },
  {
    name: 'leave row',
    keys: ['esc', 'left', 'h', 'backspace'],
    label: 'back',
    description: 'Stop the running search, or go back',
    screens: ['row'],
    group: 'here',
    changesData: false,
    run: stopOrBack,
  },
  {
    name: 'scroll right',
    keys: ['right', 'l'],
    description: 'Scroll long lines to the right',
    screens: ['rows'],
    group: 'move',
    changesData: false,
    disabled: noShift,
    run: (session) => shiftRows(session, 'right'),
  },
  {
    name: 'scroll left',
    keys: ['left', 'h'],
    description: 'Scroll long lines to the left',
    screens: ['rows'],
    group: 'move',
    changesData: false,
    disabled: noShift,
    run: (session) => shiftRows(session, 'left'),
  },
  {
    name: 'search',
    keys: ['/'],
    label: 'search',
    description: 'Search the log lines for text or a /regular expression/',
    screens: BOTH,
    group: 'here',
    changesData: false,
    disabled: noRows,
    run: promptSearch,
  },
  {
    name: 'next match',
    verb: 'go to the next match',
    keys: ['n'],
    label: 'next',
    description: 'Go to the next match',
    screens: BOTH,
    group: 'here',
    changesData: false,
    disabled: noSearch,
    run: (session) => void findMatch(session, 'next'),
  },
  {
    name: 'previous match',
    verb: 'go to the previous match',
    keys: ['N'],
    label: 'previous',
    description: 'Go to the previous match',
    screens: BOTH,
    group: 'here',
    changesData: false,
    disabled: noSearch,
    run: (session) => void findMatch(session, 'previous'),
  },
  {
    name: 'wrap',
    verb: 'wrap lines',
    keys: ['w'],
    label: 'wrap',
    description: 'Wrap long lines, or cut them; the choice is remembered',
    screens: ['rows'],
    group: 'here',
    changesData: false,
    run: (session) => session.changeSetting('wrap', !session.snapshot().settings.wrap),
  },
  {
    name: 'time',
    verb: 'go to a time',
    keys: ['t'],
    label: 'time',
    description: 'Go to the first row at or after a time',
    screens: ['rows'],
    group: 'here',
    changesData: false,
    disabled: noRows,
    run: promptTime,
  },
  {
    name: 'row number',
    verb: 'go to a row',
    keys: ['1', '2', '3', '4', '5', '6', '7', '8', '9'],
    description: 'Go to a row by number, as in 1000g, or to a percentage, as in 50%',
    screens: ['rows'],
    group: 'here',
    changesData: false,
    disabled: noRows,
    run: promptRowNumber,
  },
  {
    name: 'export matches',
    verb: 'export matches',
    keys: ['E'],
    label: 'export',
    description: 'Export all rows that match the search as NDJSON or CSV',
    screens: BOTH,
    group: 'here',
    changesData: false,
    disabled: noSearch,
    run: exportMatches,
  },
  {
    name: 'copy row',
    keys: ['y'],
    label: 'copy',
    description: 'Copy the log line, the row as JSON, or the ID',
    screens: BOTH,
    group: 'here',
    changesData: false,
    disabled: (snapshot) => (canCopy(snapshot) ? undefined : 'nothing to copy here'),
    run: copy,
  },
  {
    name: 'next row',
    keys: ['J', 'tab'],
    label: 'next row',
    description: 'Show the next row',
    screens: ['row'],
    group: 'here',
    changesData: false,
    run: (session) => moveInRows(session, { rows: 1 }),
  },
  {
    name: 'previous row',
    keys: ['K'],
    label: 'previous row',
    description: 'Show the previous row',
    screens: ['row'],
    group: 'here',
    changesData: false,
    run: (session) => moveInRows(session, { rows: -1 }),
  },
];
