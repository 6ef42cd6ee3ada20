import { type Hint, keyLabel } from '../view/hints.ts';
import type { Snapshot } from '../view/types.ts';
import { commandsAt } from './keymap.ts';
import { modeHints } from './mode-keys.ts';

/** A hint of the footer, and the key that a click on it presses. */
export interface KeyHint extends Hint {
  press: string;
}

/** The hints of the footer, from the table of commands or of the keys of the mode. */
export function hintsAt(snapshot: Snapshot): readonly KeyHint[] {
  const { ui, symbols } = snapshot;
  const hints = ui.mode.name === 'keys' ? commandHints(snapshot) : modeHints(ui.mode);
  return hints.map((hint) => ({ ...hint, press: hint.key, key: keyLabel(hint.key, symbols) }));
}

function commandHints(snapshot: Snapshot): Hint[] {
  return commandsAt(snapshot).flatMap((command): Hint[] => {
    const [key] = command.keys;
    // The help lists disabled commands with their reasons; here they would look available.
    if (!command.label || key === undefined || command.disabled?.(snapshot) !== undefined) return [];
    return [{ key, label: command.label, required: command.name === 'help' }];
  });
}
