import { parentPort, workerData } from 'node:worker_threads';
import { type DigestOptions, LineChecker, RowDigester } from '../../format/index.ts';
import type { CheckRequest, CheckResponse } from './row-check-worker.ts';

/** The worker side of `RowCheckWorker`. */
const digest = workerData as DigestOptions | null;
const checker = digest ? new RowDigester(digest) : new LineChecker();

parentPort?.on('message', (message: CheckRequest) => {
  if ('finish' in message) return answer({ totals: checker.finish() }, []);
  checker.add(Buffer.from(message.buffer, 0, message.length));
  answer({ buffer: message.buffer, rows: checker.rows }, [message.buffer]);
});

function answer(message: CheckResponse, transfer: ArrayBuffer[]): void {
  parentPort?.postMessage(message, transfer);
}
