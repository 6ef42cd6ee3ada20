import { sanitize } from '../../core/text/sanitize.ts';
import { truncate } from './text.ts';

const OSC = '\x1b]';
const ST = '\x1b\\';
export const BELL = '\x07';

const TITLE_COLUMNS = 120;
const MESSAGE_COLUMNS = 250;

/** What a terminal supports besides text. */
export interface TerminalAbilities {
  /** OSC strings are understood, or ignored without a trace. */
  osc: boolean;
  /** Progress in the tab or taskbar (OSC 9;4). */
  progress: boolean;
  /** The sequence of desktop notifications; undefined if none is known to work. */
  desktop: 'osc9' | 'osc777' | undefined;
  /** Inside tmux. */
  tmux: boolean;
}

type Environment = Record<string, string | undefined>;

/**
 * The abilities of the terminal by its environment. Inside tmux and GNU screen the outer terminal is unknown, may change, and
 * would not get the end of a progress that was shown while the window was visible: they get neither progress nor notifications.
 */
export function terminalAbilities(env: Environment): TerminalAbilities {
  const { TERM = '', TERM_PROGRAM = '', LC_TERMINAL = '' } = env;
  const tmux = Boolean(env.TMUX);
  const inside = tmux || Boolean(env.STY);
  const ghostty = TERM_PROGRAM === 'ghostty' || TERM === 'xterm-ghostty';
  const wezterm = TERM_PROGRAM === 'WezTerm' || TERM === 'wezterm';
  const iterm = TERM_PROGRAM === 'iTerm.app' || LC_TERMINAL === 'iTerm2';
  const windows = Boolean(env.WT_SESSION) || env.ConEmuANSI === 'ON';
  const osc777 = /^(foot|rxvt)/.test(TERM);
  const osc9 = ghostty || wezterm || iterm || TERM === 'xterm-kitty';
  return {
    osc: TERM !== 'linux' && TERM !== 'dumb',
    progress: !inside && (ghostty || wezterm || windows),
    desktop: inside ? undefined : osc777 ? 'osc777' : osc9 ? 'osc9' : undefined,
    tmux,
  };
}

/** Sets the title of the terminal. */
export function titleSequence(title: string): string {
  return `${OSC}2;${truncate(sanitize(title), TITLE_COLUMNS)}${ST}`;
}

/** Saves the title on the terminal's stack, where it has one. */
export const SAVE_TITLE = '\x1b[22;2t';
/** Clears the title, and restores the saved one where the terminal has a stack of titles. */
export const RESTORE_TITLE = `${OSC}2;${ST}\x1b[23;2t`;

/** Progress as a fraction, of unknown size, or none. */
export type TabProgress = number | 'unknown' | 'none';

/** Shows progress in the tab or taskbar (ConEmu's OSC 9;4). */
export function progressSequence(progress: TabProgress): string {
  if (progress === 'none') return `${OSC}9;4;0${ST}`;
  if (progress === 'unknown') return `${OSC}9;4;3${ST}`;
  return `${OSC}9;4;1;${Math.floor(Math.max(0, Math.min(1, progress)) * 100)}${ST}`;
}

/** Makes the terminal send a desktop notification; `tmux` passes it through, which `allow-passthrough` must permit. */
export function desktopSequence(message: string, kind: 'osc9' | 'osc777', tmux: boolean): string {
  const text = truncate(sanitize(message).replaceAll(';', ','), MESSAGE_COLUMNS);
  const sequence =
    kind === 'osc9' ? `${OSC}9;bifract: ${text}${ST}` : `${OSC}777;notify;bifract;${text}${ST}`;
  return tmux ? passedThrough(sequence) : sequence;
}

/** A sequence that tmux hands to its terminal. */
export function passedThrough(sequence: string): string {
  return `\x1bPtmux;${sequence.replaceAll('\x1b', '\x1b\x1b')}${ST}`;
}

/** Button presses and the wheel, with coordinates of any size (SGR 1006). */
export const MOUSE_ON = '\x1b[?1000h\x1b[?1006h';
export const MOUSE_OFF = '\x1b[?1006l\x1b[?1000l';
