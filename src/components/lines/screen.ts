import { sanitize } from '../../core/text/sanitize.ts';
import { plural } from '../../core/text/units.ts';
import type { Line } from '../text/line.ts';
import { emptyLines } from '../view/empty.ts';
import { listAt, rowsAt } from '../view/lists/index.ts';
import { coverageLines } from '../view/pages/coverage.ts';
import { pageAt } from '../view/pages/index.ts';
import { rowLines } from '../view/pages/rows.ts';
import { currentScreen, listStateAt } from '../view/snapshot.ts';
import { screenTitle } from '../view/title.ts';
import type { DialogState, Prompt, Snapshot } from '../view/types.ts';
import { wizardView } from '../view/wizard/index.ts';
import type { WizardChoice } from '../view/wizard/types.ts';

/** Rows of a list that are read out at a time. */
export const PAGE_ROWS = 20;
/** Cells are not cut. */
const CELL_COLUMNS = 200;

/** A line of the screen as plain text: what is only there for the eye is left out, columns become commas. */
export function plainLine(line: Line): string {
  const text = sanitize(line.map((span) => span.text).join('')).trim();
  return text.replace(/ {2,}/, ': ').replace(/ {2,}/g, ', ');
}

function plain(lines: readonly Line[]): string[] {
  return lines.map(plainLine).filter((text) => text !== '');
}

function listLines(snapshot: Snapshot): string[] | undefined {
  const screen = currentScreen(snapshot);
  const view = rowsAt(snapshot, screen);
  if (!view) return undefined;
  if (view.rows.length === 0) return plain(emptyLines(snapshot, screen));
  const { filter, selected } = listStateAt(snapshot, screen);
  const first = Math.floor(view.index / PAGE_ROWS) * PAGE_ROWS;
  const shown = view.rows.slice(first, first + PAGE_ROWS);
  const noun = plural(view.rows.length, listAt(screen)?.noun ?? 'row');
  const rows = shown.map((row, index) => {
    const cells = view.columns.flatMap(({ id, title }) => {
      const text = plainLine(row.cells(id, snapshot, CELL_COLUMNS));
      return text === '' || text === '-' ? [] : [title === '' ? text : `${title}: ${text}`];
    });
    const marks = [first + index === view.index && 'current', selected.has(row.id) && 'selected'];
    return [`${first + index + 1}.`, ...marks.filter(Boolean), cells.join(', ')].join(' ');
  });
  const part = view.rows.length > PAGE_ROWS ? `, ${first + 1} to ${first + shown.length}` : '';
  return [`${noun}${part}${filter === '' ? '' : `, filter: ${sanitize(filter)}`}`, ...rows];
}

function choiceLine({ label, checked, description, disabled }: WizardChoice, index: number): string {
  const state = checked === undefined ? '' : checked ? ' (chosen)' : ' (not chosen)';
  const parts = [`${index + 1}. ${label}${state}`, description, disabled && `not available: ${disabled}`];
  return sanitize(parts.filter(Boolean).join('. '));
}

function wizardLines(snapshot: Snapshot): string[] {
  const shown = wizardView(snapshot);
  if (!shown) return ['This restore has ended. Type back.'];
  const { page } = shown;
  return [
    `Step ${page.step} of ${page.steps}: ${page.title}. Nothing has been changed so far.`,
    ...plain(page.lines),
    ...page.choices.map(choiceLine),
    ...(page.choices.length > 0 ? ['Type the number of a choice.'] : []),
  ];
}

function bodyLines(snapshot: Snapshot): string[] {
  const screen = currentScreen(snapshot);
  switch (screen.name) {
    case 'wizard':
      return wizardLines(snapshot);
    case 'rows':
      return plain(rowLines(snapshot).lines);
    case 'coverage':
      return plain(coverageLines(snapshot));
    default:
      return listLines(snapshot) ?? plain(pageAt(snapshot, screen));
  }
}

/** The current screen: where it is, and everything on it. */
export function screenLines(snapshot: Snapshot): readonly string[] {
  const path = snapshot.ui.stack.map((screen) => sanitize(screenTitle(snapshot, screen)));
  return [path.join(', '), ...bodyLines(snapshot)];
}

/** How an answer of a dialog is typed: `ctrl-y`, or the letter. */
function answerLine({ key, label }: { key: string; label: string }): string {
  return `${key}: ${sanitize(label)}`;
}

/** A question with its answers. */
export function dialogLines({
  title,
  lines,
  items = [],
  confirmation,
  typed,
  options,
}: DialogState): string[] {
  const isTyped = confirmation === undefined || typed === confirmation;
  return [
    `Question: ${sanitize(title)}`,
    ...lines.map((line) => sanitize(line)),
    ...plain(items),
    ...(isTyped ? [] : [`To confirm, first type: ${sanitize(confirmation)}`]),
    ...options.filter(({ safe }) => safe || isTyped).map(answerLine),
    'Type an answer. Only Enter: the safe one.',
  ];
}

/** A text input. */
export function promptLines({ prefix, hint, text, error }: Prompt): string[] {
  return [
    ...(error === undefined ? [] : [sanitize(error)]),
    `${sanitize(prefix)} (${sanitize(hint)})${text === '' ? '' : `, now: ${sanitize(text)}`}`,
    'Type the text, or esc.',
  ];
}
