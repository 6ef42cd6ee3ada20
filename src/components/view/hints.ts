import { width } from '../../core/text/sanitize.ts';

/** A key and what it does, in the footer. */
export interface Hint {
  key: string;
  label: string;
  /** Kept if not all hints fit. */
  required?: boolean;
}

/** The texts of a hint: its key and its label, with their spaces. */
export function hintParts({ key, label }: Hint): [key: string, label: string] {
  return [` ${key}`, ` ${label} `];
}

/** The hints that fit completely, in their order; required ones are fitted first. */
export function fitting<One extends Hint>(hints: readonly One[], columns: number): One[] {
  const kept = new Set<One>();
  let left = columns;
  for (const hint of hints.toSorted((a, b) => Number(b.required ?? false) - Number(a.required ?? false))) {
    const size = width(hintParts(hint).join(''));
    if (size > left) continue;
    kept.add(hint);
    left -= size;
  }
  return hints.filter((hint) => kept.has(hint));
}

/** The hint at a column of the footer. */
export function hintAt<One extends Hint>(
  hints: readonly One[],
  columns: number,
  column: number,
): One | undefined {
  let end = 0;
  return fitting(hints, columns).find((hint) => {
    end += width(hintParts(hint).join(''));
    return column < end;
  });
}

const LABELS: Readonly<Record<string, string>> = {
  ' ': 'Space',
  enter: 'Enter',
  esc: 'Esc',
  pgup: 'PgUp',
  pgdn: 'PgDn',
  home: 'Home',
  end: 'End',
  tab: 'Tab',
  backspace: 'Bksp',
};

/** A key's name as printed on a keyboard. */
export function keyLabel(key: string, arrows: { up: string; down: string }): string {
  if (key === 'up' || key === 'down') return arrows[key];
  if (key === 'left' || key === 'right') return key === 'left' ? 'Left' : 'Right';
  if (key.startsWith('ctrl-')) return `^${key.slice(5).toUpperCase()}`;
  return LABELS[key] ?? key;
}
