const OSC52 = '\x1b]52;c;';
const BELL = '\x07';

/**
 * What makes the terminal at the user's end copy a text, through SSH too. Inside tmux it is sent twice: once for
 * tmux itself (`set-clipboard on`), once past it (`allow-passthrough on`).
 */
export function copySequence(text: string, insideTmux: boolean): string {
  const sequence = OSC52 + Buffer.from(text, 'utf8').toString('base64') + BELL;
  if (!insideTmux) return sequence;
  return `${sequence}\x1bPtmux;${sequence.replaceAll('\x1b', '\x1b\x1b')}\x1b\\`;
}
