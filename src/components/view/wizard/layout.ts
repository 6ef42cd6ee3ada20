import { scrollTop } from '../columns.ts';
import { bodyHeight } from '../layout.ts';
import { wrap } from '../text.ts';
import type { Glyphs, Line, Snapshot } from '../types.ts';
import type { WizardChoice, WizardPage } from './types.ts';

/** Lines above the text: the step, and an empty one. */
const HEAD = 2;
/** Lines of the text that are there beside choices without end. */
const LEAST_TEXT = 4;
const INDENT = '     ';

interface ChoiceLine {
  line: Line;
  /** Number of the choice that it belongs to; only its first line is drawn as chosen. */
  choice: number;
  first: boolean;
}

/** A page as it fits on the screen. */
export interface WizardView {
  /** The text that is shown, and how far it can be scrolled. */
  lines: readonly Line[];
  top: number;
  lastTop: number;
  /** Lines of the text that fit. */
  room: number;
  choices: readonly ChoiceLine[];
  /** Choices that do not fit, above and below those that do. */
  above: number;
  below: number;
  /** Number of the choice under the cursor. */
  index: number;
}

function sign({ on, exclusive }: WizardChoice, { ok }: Glyphs): string {
  if (on === undefined) return '';
  if (exclusive) return on ? '(*) ' : '( ) ';
  return on ? `[${ok}] ` : '[ ] ';
}

function choiceLines(choice: WizardChoice, index: number, chosen: boolean, snapshot: Snapshot): ChoiceLine[] {
  const { columns, glyphs } = snapshot;
  const tone = choice.disabled ? 'dim' : (choice.tone ?? 'plain');
  const about = choice.about ? wrap(choice.about, columns - INDENT.length - 2) : [];
  const label = sign(choice, glyphs) + choice.label;
  return [
    {
      line: [{ text: `${chosen ? glyphs.cursor : ' '} ` }, { text: label, tone, bold: true }],
      choice: index,
      first: true,
    },
    ...about.map((text) => ({
      line: [{ text: INDENT + text, tone: 'dim' as const }],
      choice: index,
      first: false,
    })),
  ];
}

/** The choices that fit into `height` lines, the one under the cursor with all that is said of it. */
function shownChoices(lines: readonly ChoiceLine[], index: number, height: number): readonly ChoiceLine[] {
  const end = lines.findLastIndex(({ choice }) => choice === index);
  const start = lines.findIndex(({ choice }) => choice === index);
  const top = scrollTop(scrollTop(0, end, height, lines.length), start, height, lines.length);
  return lines.slice(top, top + height);
}

/** What of a page is to be seen: text as far as the choices leave room. */
export function layOut(
  page: WizardPage,
  { index: wanted, top }: { index: number; top: number },
  snapshot: Snapshot,
): WizardView {
  const index = Math.max(0, Math.min(wanted, page.choices.length - 1));
  const all = page.choices.flatMap((choice, at) => choiceLines(choice, at, at === index, snapshot));
  const height = bodyHeight(snapshot) - HEAD;
  const gap = all.length > 0 ? 1 : 0;
  const forChoices = Math.min(all.length, height - gap - Math.min(LEAST_TEXT, page.lines.length));
  const most = height - forChoices - gap;
  // A line is needed to say that there is more.
  const room = page.lines.length <= most ? page.lines.length : Math.max(1, most - 1);
  const lastTop = Math.max(0, page.lines.length - room);
  const from = Math.max(0, Math.min(top, lastTop));
  const choices = shownChoices(all, index, Math.max(1, forChoices));
  const seen = choices.filter(({ first }) => first).map(({ choice }) => choice);
  return {
    lines: page.lines.slice(from, from + room),
    top: from,
    lastTop,
    room,
    choices,
    above: seen[0] ?? 0,
    below: Math.max(0, page.choices.length - 1 - (seen.at(-1) ?? 0)),
    index,
  };
}
