import { bodyHeight, scrollTop } from '../../text/layout.ts';
import type { Line } from '../../text/line.ts';
import type { Symbols } from '../../text/symbols.ts';
import { wrap } from '../../text/text.ts';
import type { Snapshot } from '../types.ts';
import { ARCHIVE_STEPS } from './archive-pages.ts';
import { BACKUP_STEPS } from './backup-pages.ts';
import { failedPage, planningPage } from './planning.ts';
import type { WizardChoice, WizardContent, WizardPage, WizardState } from './types.ts';

/** The current page of a wizard. */
function wizardPage(wizard: WizardState, snapshot: Snapshot): WizardPage {
  const steps = stepsOf(wizard.kind);
  const index = steps.findIndex(({ step }) => step === wizard.step);
  const place = { title: steps[index]?.title ?? '', step: index + 1, steps: steps.length };
  if (wizard.planning) return { ...place, ...planningPage(wizard.planning, wizard.kind, snapshot) };
  if (wizard.error) return { ...place, ...failedPage(wizard.error, snapshot) };
  return { ...place, ...contentOf(wizard, snapshot) };
}

function stepsOf(kind: WizardState['kind']): readonly { step: WizardState['step']; title: string }[] {
  return kind === 'backup' ? BACKUP_STEPS : ARCHIVE_STEPS;
}

function contentOf(wizard: WizardState, snapshot: Snapshot): WizardContent {
  const content =
    wizard.kind === 'backup'
      ? BACKUP_STEPS.find(({ step }) => step === wizard.step)?.content(wizard, snapshot)
      : ARCHIVE_STEPS.find(({ step }) => step === wizard.step)?.content(wizard, snapshot);
  return content ?? { lines: [], choices: [] };
}

/** The step before the current one; undefined on the first. */
export function stepBefore({ kind, step: current }: WizardState): WizardState['step'] | undefined {
  const steps = stepsOf(kind);
  return steps[steps.findIndex(({ step }) => step === current) - 1]?.step;
}

/** Removes the empty lines at the end of a page: the layout adds its own gap. */
function withoutTrailingGap(page: WizardPage): WizardPage {
  return { ...page, lines: page.lines.slice(0, page.lines.findLastIndex((line) => line.length > 0) + 1) };
}

/** The page and its layout on the screen; undefined if there is no wizard. */
export function wizardView(snapshot: Snapshot): { page: WizardPage; view: WizardView } | undefined {
  const { wizard } = snapshot;
  if (!wizard) return undefined;
  const page = withoutTrailingGap(wizardPage(wizard, snapshot));
  return { page, view: layOut(page, wizard, snapshot) };
}

/** Lines above the text: the step and an empty line. */
const HEAD = 2;

/** Minimum lines of text, however many choices there are. */
const MIN_TEXT = 4;
const INDENT = '     ';

interface ChoiceLine {
  line: Line;
  /** Index of the choice that it belongs to; only its first line is highlighted. */
  choice: number;
  first: boolean;
}

/** A page laid out for the screen. */
export interface WizardView {
  /** The visible text, and its first and last scroll position. */
  lines: readonly Line[];
  top: number;
  lastTop: number;
  /** Lines of text that fit. */
  textHeight: number;
  choices: readonly ChoiceLine[];
  /** Number of hidden choices above and below the visible ones. */
  above: number;
  below: number;
  /** Index of the choice under the cursor. */
  index: number;
}

function checkbox({ checked, exclusive }: WizardChoice, { ok }: Symbols): string {
  if (checked === undefined) return '';
  if (exclusive) return checked ? '(*) ' : '( ) ';
  return checked ? `[${ok}] ` : '[ ] ';
}

function choiceLines(
  choice: WizardChoice,
  index: number,
  highlighted: boolean,
  snapshot: Snapshot,
): ChoiceLine[] {
  const { columns, symbols } = snapshot;
  const tone = choice.disabled ? 'dim' : (choice.tone ?? 'plain');
  const description = choice.description ? wrap(choice.description, columns - INDENT.length - 2) : [];
  const label = checkbox(choice, symbols) + choice.label;
  return [
    {
      line: [{ text: `${highlighted ? symbols.cursor : ' '} ` }, { text: label, tone, bold: true }],
      choice: index,
      first: true,
    },
    ...description.map((text) => ({
      line: [{ text: INDENT + text, tone: 'dim' as const }],
      choice: index,
      first: false,
    })),
  ];
}

/** The choices that fit into `height` lines, the one under the cursor with its full description. */
function shownChoices(lines: readonly ChoiceLine[], index: number, height: number): readonly ChoiceLine[] {
  const end = lines.findLastIndex(({ choice }) => choice === index);
  const start = lines.findIndex(({ choice }) => choice === index);
  const top = scrollTop(scrollTop(0, end, height, lines.length), start, height, lines.length);
  return lines.slice(top, top + height);
}

/** Lays out a page: choices first, the text in the remaining lines. */
export function layOut(
  page: WizardPage,
  { index: requested, choice, top }: Pick<WizardState, 'index' | 'choice' | 'top'>,
  snapshot: Snapshot,
): WizardView {
  const known = choice === undefined ? -1 : page.choices.findIndex(({ id }) => id === choice);
  const index = known >= 0 ? known : Math.max(0, Math.min(requested, page.choices.length - 1));
  const all = page.choices.flatMap((choice, at) => choiceLines(choice, at, at === index, snapshot));
  const height = bodyHeight(snapshot) - HEAD;
  const gap = all.length > 0 ? 1 : 0;
  const forChoices = Math.min(all.length, height - gap - Math.min(MIN_TEXT, page.lines.length));
  const available = height - forChoices - gap;
  // One line is reserved for the scroll position if the text does not fit.
  const room = page.lines.length <= available ? page.lines.length : Math.max(1, available - 1);
  const lastTop = Math.max(0, page.lines.length - room);
  const from = Math.max(0, Math.min(top, lastTop));
  const choices = shownChoices(all, index, Math.max(1, forChoices));
  const visible = choices.filter(({ first }) => first).map(({ choice }) => choice);
  return {
    lines: page.lines.slice(from, from + room),
    top: from,
    lastTop,
    textHeight: room,
    choices,
    above: visible[0] ?? 0,
    below: Math.max(0, page.choices.length - 1 - (visible.at(-1) ?? 0)),
    index,
  };
}
