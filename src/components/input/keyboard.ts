import { createDecoder } from './decoder.ts';
import type { InputEvent } from './events.ts';

/** The keyboard of a terminal, which the shell gets back when the console is suspended or closed. */
export interface Keyboard {
  /** Takes the keyboard: keys arrive one by one, unprocessed. */
  open(): void;
  /** Gives it back. Drops what has not been decoded. */
  close(): void;
}

const PASTE_ON = '\x1b[?2004h';
const PASTE_OFF = '\x1b[?2004l';

/** A keyboard that passes all that arrived together to `receive`, in order. */
export function createKeyboard(
  { stdin, stdout }: { stdin: NodeJS.ReadStream; stdout: NodeJS.WriteStream },
  receive: (events: readonly InputEvent[]) => void,
): Keyboard {
  let decoder = createDecoder();
  let isOpen = false;
  let timer: NodeJS.Timeout | undefined;
  let expiring: NodeJS.Immediate | undefined;

  function pass(events: readonly InputEvent[]): void {
    stopWaiting();
    if (decoder.deadline !== undefined)
      timer = setTimeout(expireSoon, Math.max(0, decoder.deadline - performance.now()));
    if (events.length > 0) receive(events);
  }

  /** Bytes may have arrived in time, but not been read, because the console was busy. They come first. */
  function expireSoon(): void {
    expiring = setImmediate(() => pass(decoder.expire(performance.now())));
  }

  function stopWaiting(): void {
    clearTimeout(timer);
    clearImmediate(expiring);
  }

  const read = (bytes: Buffer) => pass(decoder.push(bytes, performance.now()));

  return {
    open() {
      if (isOpen) return;
      isOpen = true;
      stdin.setRawMode(true);
      stdin.on('data', read);
      stdin.resume();
      stdout.write(PASTE_ON);
    },
    close() {
      if (!isOpen) return;
      isOpen = false;
      stopWaiting();
      decoder = createDecoder();
      stdin.off('data', read);
      stdin.pause();
      stdin.setRawMode(false);
      stdout.write(PASTE_OFF);
    },
  };
}
