import { tableColumns } from '../../text/layout.ts';
import { listAt, rowsAt } from '../../view/lists/index.ts';
import { listWidth } from '../../view/lists/shown.ts';
import { currentScreen, listKey } from '../../view/snapshot.ts';
import type { DialogOption, Sort } from '../../view/types.ts';
import { openDialog } from '../dialogs.ts';
import type { Session } from '../session.ts';

/** The keys of the columns, in their order. */
const KEYS = '1234567890';

function setSort(session: Session, sort: Sort) {
  const screen = currentScreen(session.snapshot());
  session.dispatch({ type: 'sort', key: listKey(screen), sort });
  session.preferences.set(`sort.${screen.name}`, sort);
}

/** Asks for the column to sort by: any that is visible. The next one has the focus; the current one reverses the order. */
export function chooseSort(session: Session) {
  const snapshot = session.snapshot();
  const view = rowsAt(snapshot);
  if (!view || !listAt(currentScreen(snapshot))) return;
  const { sort } = view;
  const columns = tableColumns(view.columns, listWidth(snapshot, currentScreen(snapshot))).map(
    ({ shape }) => shape,
  );
  const current = columns.findIndex(({ id }) => id === sort.column);
  const options = columns.slice(0, KEYS.length).map(
    ({ id, title, align }, index): DialogOption => ({
      key: KEYS[index] ?? '',
      label: index === current ? `${title} (reverse the order)` : title,
      safe: true,
      run: () =>
        setSort(
          session,
          index === current
            ? { ...sort, descending: !sort.descending }
            : { column: id, descending: align === 'right' },
        ),
    }),
  );
  openDialog(session, { title: 'Sort by', tone: 'info', lines: [], options });
  session.dispatch({ type: 'focus', by: (current + 1) % options.length });
}

/** Reverses the order. */
export function reverseSort(session: Session) {
  const view = rowsAt(session.snapshot());
  if (view) setSort(session, { ...view.sort, descending: !view.sort.descending });
}
