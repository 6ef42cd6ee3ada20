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
