import { parentPort } from 'node:worker_threads';
import { LineChecker } from '../format/check-lines.ts';
import type { FromThread, ToThread } from './line-thread.ts';

/** The other side of `LineThread`. */
const checker = new LineChecker();

parentPort?.on('message', (message: ToThread) => {
  if ('finish' in message) return answer({ totals: checker.totals }, []);
  checker.add(Buffer.from(message.buffer, 0, message.length));
  answer({ buffer: message.buffer, rows: checker.totals.rows }, [message.buffer]);
});

function answer(message: FromThread, transfer: ArrayBuffer[]): void {
  parentPort?.postMessage(message, transfer);
}
