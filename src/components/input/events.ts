/** What the terminal sends: what the user did, and replies to queries. */
export type InputEvent = KeyInput | PasteInput | MouseInput | ReplyInput;

/** A key. */
export interface KeyInput {
  type: 'key';
  /**
   * A character is its own name. Others are `enter`, `esc`, `tab`, `backspace`, `delete`, `insert`, `up`, `down`,
   * `left`, `right`, `home`, `end`, `pgup`, `pgdn`, `f1` to `f12`. Modifiers come before the name in this order:
   * `alt-`, `ctrl-`, `shift-`, as in `ctrl-c`, `alt-b`, `shift-tab`, `alt-ctrl-space`.
   */
  name: string;
}

/** Pasted text, of any number of lines and not sanitized. */
export interface PasteInput {
  type: 'paste';
  text: string;
  /** The text was longer than `MAX_PASTE`; the rest is lost. */
  truncated: boolean;
}

/** A mouse button or wheel, as terminals report them in mode 1006 (SGR). */
export interface MouseInput {
  type: 'mouse';
  action: 'press' | 'release' | 'move' | 'wheel-up' | 'wheel-down';
  /** Of a press, release, or move; `none` if the mouse moves without a button. */
  button: 'left' | 'middle' | 'right' | 'none';
  /** Position on the screen, from 0. */
  column: number;
  row: number;
  /** Shift, Alt or Ctrl is held. */
  modified: boolean;
}

/** Color channels from 0 to 255. */
export interface Color {
  red: number;
  green: number;
  blue: number;
}

/** A reply of the terminal to a query. It may be late, and for another program. */
export type ReplyInput =
  /** OSC 10, OSC 11, or OSC 4 with a number of the palette. */
  | { type: 'reply'; kind: 'color'; of: 'foreground' | 'background' | number; color: Color }
  /** DA1 or DA2. */
  | { type: 'reply'; kind: 'attributes'; level: 1 | 2; values: readonly number[] }
  /** CPR; from 0. F3 with modifiers looks the same in some terminals. */
  | { type: 'reply'; kind: 'cursor'; row: number; column: number }
  /** A mode of the terminal. 0: unknown mode, 1: set, 2: not set, 3: always set, 4: never set. */
  | { type: 'reply'; kind: 'mode'; mode: number; setting: number }
  /** Flags of the kitty keyboard protocol. */
  | { type: 'reply'; kind: 'keyboard'; flags: number }
  /** The window of the terminal got or lost the focus (mode 1004). */
  | { type: 'reply'; kind: 'focus'; focused: boolean };
