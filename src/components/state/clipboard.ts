const OSC52 = '\x1b]52;c;';
const BELL = '\x07';

/**
 * The OSC 52 sequence that makes the user's terminal copy a text, through SSH too. Inside tmux it is sent twice: for
 * tmux itself (`set-clipboard on`) and passed through (`allow-passthrough on`).
 */
export function copySequence(text: string, insideTmux: boolean): string {
  const sequence = OSC52 + Buffer.from(text, 'utf8').toString('base64') + BELL;
  if (!insideTmux) return sequence;
  return `${sequence}\x1bPtmux;${sequence.replaceAll('\x1b', '\x1b\x1b')}\x1b\\`;
}
