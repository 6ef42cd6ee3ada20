import { parentPort } from 'node:worker_threads';
import { LineChecker } from '../../format/index.ts';
import type { CheckRequest, CheckResponse } from './row-check-worker.ts';

/** The worker side of `RowCheckWorker`. */
const checker = new LineChecker();

parentPort?.on('message', (message: CheckRequest) => {
  if ('finish' in message) return answer({ totals: checker.totals }, []);
  checker.add(Buffer.from(message.buffer, 0, message.length));
  answer({ buffer: message.buffer, rows: checker.totals.rows }, [message.buffer]);
});

function answer(message: CheckResponse, transfer: ArrayBuffer[]): void {
  parentPort?.postMessage(message, transfer);
}
