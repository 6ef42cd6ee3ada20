import { back, openRow } from '../hooks/moves.ts';
import { askSearch, askTime, findMatch, moveInRows } from '../hooks/row-deeds.ts';
import type { Session } from '../hooks/session.ts';
import { placeOf } from '../view/lists/index.ts';
import type { PlaceName, Snapshot } from '../view/types.ts';
import type { Command } from './command.ts';

const BOTH: readonly PlaceName[] = ['rows', 'row'];

function noRows({ browse }: Snapshot): string | undefined {
  if (browse?.opening) return 'the archive is being opened';
  return browse?.report && (browse.rows > 0 || !browse.complete) ? undefined : 'there are no rows';
}

function noSearch(snapshot: Snapshot): string | undefined {
  return (
    noRows(snapshot) ?? (snapshot.browse?.search ? undefined : 'nothing was searched for: press / first')
  );
}

/** First what is going on is stopped, then the marks of a search go, then the place is left. */
function stopOrBack(session: Session) {
  if (session.browsing.stop()) return session.say('info', 'Stopped');
  const snapshot = session.snapshot();
  if (placeOf(snapshot).name === 'rows' && snapshot.browse?.search)
    return session.browsing.searchFor(undefined);
  back(session);
}

/** What can be done with the rows of an archive. */
export const ROWS: readonly Command[] = [
  {
    name: 'show row',
    keys: ['enter', 'right', 'l'],
    label: 'row',
    description: 'Show the whole row: log line, times, parsed fields',
    at: ['rows'],
    group: 'here',
    disabled: noRows,
    run: openRow,
  },
  {
    name: 'leave rows',
    keys: ['esc', 'left', 'h', 'backspace'],
    label: 'back',
    description: 'Stop what is going on, end the search, or go back',
    at: BOTH,
    group: 'here',
    run: stopOrBack,
  },
  {
    name: 'search',
    keys: ['/'],
    label: 'search',
    description: 'Search the log lines for a text or a /regular expression/',
    at: BOTH,
    group: 'here',
    disabled: noRows,
    run: askSearch,
  },
  {
    name: 'next match',
    keys: ['n'],
    label: 'next',
    description: 'Go to the next match of the search',
    at: BOTH,
    group: 'here',
    disabled: noSearch,
    run: (session) => void findMatch(session, 'next'),
  },
  {
    name: 'previous match',
    keys: ['N'],
    label: 'previous',
    description: 'Go to the previous match of the search',
    at: BOTH,
    group: 'here',
    disabled: noSearch,
    run: (session) => void findMatch(session, 'previous'),
  },
  {
    name: 'time',
    keys: ['t'],
    label: 'time',
    description: 'Go to the first row at or after a time',
    at: ['rows'],
    group: 'here',
    disabled: noRows,
    run: askTime,
  },
  {
    name: 'next row',
    keys: ['J', 'tab'],
    label: 'next row',
    description: 'Show the next row',
    at: ['row'],
    group: 'here',
    run: (session) => moveInRows(session, { rows: 1 }),
  },
  {
    name: 'previous row',
    keys: ['K'],
    label: 'previous row',
    description: 'Show the previous row',
    at: ['row'],
    group: 'here',
    run: (session) => moveInRows(session, { rows: -1 }),
  },
];
