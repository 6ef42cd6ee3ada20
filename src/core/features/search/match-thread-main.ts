import { parentPort, workerData } from 'node:worker_threads';
import type { MatchRequest, MatchResponse, MatchTask } from './match-thread.ts';
import { LineMatcher } from './matcher.ts';

/** The thread of `searchBlocks`. */
const { pattern, window } = workerData as MatchTask;
const matcher = new LineMatcher(pattern, window);

parentPort?.on('message', ({ buffer, length, limit }: MatchRequest) => {
  const lines = matcher
    .find(Buffer.from(buffer, 0, length))
    .take(limit)
    .toArray();
  const response: MatchResponse = { buffer, lines };
  parentPort?.postMessage(response, [buffer]);
});
