import type { Line } from '../../text/line.ts';
import { wrap } from '../../text/text.ts';
import { isNotInstalled, type SetupPart, setupParts } from '../setup.ts';
import type { Snapshot } from '../types.ts';
import { heading, longField, paragraphs } from './fields.ts';

function partLines({ name, ok, detail, steps }: SetupPart, { columns, symbols }: Snapshot): Line[] {
  return [
    ...longField(name, `${ok ? symbols.ok : symbols.bad} ${detail}`, columns, ok ? 'plain' : 'bad'),
    ...steps.flatMap(({ when, command }): Line[] => [
      ...wrap(`${when}:`, columns - 7).map((text): Line => [{ text: `      ${text}`, tone: 'dim' }]),
      // Not wrapped: the command is to be copied, with y or by hand.
      [{ text: `        ${command}`, bold: true }],
    ]),
    ...(ok ? [] : [[]]),
  ];
}

function advice(snapshot: Snapshot, parts: readonly SetupPart[]): readonly string[] {
  if (parts.every(({ ok }) => ok)) return ['All parts work. Press 1 for the overview.'];
  const again = 'Press y to copy a command, and r to check again.';
  if (!isNotInstalled(snapshot)) return [again];
  return snapshot.contexts.fixed
    ? [again]
    : [again, 'Press o to open another directory, or @ to choose one that was opened before.'];
}

/** What is missing for the installation to work, and the next step for each part. */
export function setupPage(snapshot: Snapshot): readonly Line[] {
  const { columns, symbols, installation } = snapshot;
  const parts = setupParts(snapshot);
  if (!parts) return [[{ text: `  Loading${symbols.ellipsis}`, tone: 'dim' }]];
  return [
    heading(installation.dir, columns, symbols),
    ...parts.flatMap((part) => partLines(part, snapshot)),
    ...(parts.every(({ ok }) => ok) ? [[]] : []),
    ...paragraphs(advice(snapshot, parts), columns),
  ];
}
