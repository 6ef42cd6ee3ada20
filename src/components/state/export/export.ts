import { asBifractError } from '../../../core/index.ts';
import { formatStamp } from '../../../core/text/time.ts';
import { formatExact, plural } from '../../../core/text/units.ts';
import { listAt } from '../../view/lists/index.ts';
import { currentScreen, listStateAt } from '../../view/snapshot.ts';
import type { Snapshot } from '../../view/types.ts';
import { openPrompt } from '../dialogs.ts';
import type { Session } from '../session.ts';
import { type ExportFormat, formatOf, recordContent, rowContent } from './content.ts';

/** Prompts for the name of a file, whose end is the format. */
function promptFile(session: Session, what: string, run: (name: string, format: ExportFormat) => void) {
  const stamp = formatStamp(session.snapshot().now).replaceAll(/[-:]/g, '').replace(' ', '-');
  openPrompt(session, {
    prefix: 'export to',
    hint: `new file; .ndjson or .csv; ${what}`,
    text: `~/bifract-${currentScreen(session.snapshot()).name}-${stamp}.ndjson`,
    submit(text) {
      const name = text.trim();
      const format = formatOf(name);
      if (format === undefined) return 'The name must end with .ndjson or .csv';
      run(name, format);
      return undefined;
    },
  });
}

/** The selected records of the list, else all that are shown, in their order. */
function listedRecords(snapshot: Snapshot): readonly object[] {
  const screen = currentScreen(snapshot);
  const state = listStateAt(snapshot, screen);
  const { selected } = state;
  const filter = selected.size > 0 ? '' : state.filter;
  const rows = listAt(screen)?.list.rows(snapshot, screen, { ...state, filter }).rows ?? [];
  return rows.filter(({ id }) => selected.size === 0 || selected.has(id)).map(({ record }) => record);
}

/** Exports the selected rows of a list, else those that are shown, to a file. */
export function exportList(session: Session) {
  const records = listedRecords(session.snapshot());
  promptFile(session, plural(records.length, 'row'), (name, format) => {
    void write(session, records.length, () =>
      session.writeFile(name, recordContent(records, format), session.ended),
    );
  });
}

async function write(session: Session, count: number, run: () => Promise<string>) {
  try {
    session.notify('good', `Exported ${plural(count, 'row')} to ${await run()}`);
  } catch (error) {
    if (session.ended.aborted) return;
    notifyFailed(session, error);
  }
}

function notifyFailed(session: Session, error: unknown) {
  const { message, hint } = asBifractError(error).report();
  session.notify('error', `Nothing was exported: ${message}`, { hint });
}

/** Exports all rows of the archive that match the search to a file; it can be stopped, and then leaves none. */
export function exportMatches(session: Session) {
  promptFile(session, 'all rows that match', (name, format) => void writeMatches(session, name, format));
}

async function writeMatches(session: Session, name: string, format: ExportFormat) {
  const search = session.browsing.state()?.search;
  if (!search) return;
  let count = 0;
  try {
    const path = await session.browsing.run(`Exporting ${search.input}`, (browser, signal, report) => {
      async function* counted() {
        for await (const part of browser.matches(search?.pattern ?? { text: '' }, { signal })) {
          count += part.matches.length;
          report(`${plural(count, 'row')} of ${formatExact(part.searched)} searched`);
          yield part;
        }
      }
      return session.writeFile(name, rowContent(counted(), format), signal);
    });
    if (path !== undefined) session.notify('good', `Exported ${plural(count, 'row')} to ${path}`);
  } catch (error) {
    notifyFailed(session, error);
  }
}
