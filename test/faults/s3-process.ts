/** The S3 server as a process of its own, so that it can be killed. Orders come over the channel of `fork`. */
import type { Fault } from '../helpers/s3/fault.ts';
import { S3Server } from '../helpers/s3/server.ts';
import { BUCKET } from '../helpers/s3/test-server.ts';

/** Requests with a fault: `times` of those with this operation, after the first `skip`. */
export interface RequestFaults {
  operations: string[];
  skip: number;
  times: number;
  fault: Fault;
}

export type Order = { open: string } | { faults: RequestFaults | undefined } | { ask: 'hits' };
export type Answer = { port: number } | { hits: number };

let server: S3Server | undefined;
let faults: RequestFaults | undefined;
let hits = 0;

process.on('disconnect', () => process.exit());
process.on('message', (order: Order) => {
  if ('open' in order) void open(order.open);
  else if ('ask' in order) answer({ hits });
  else {
    faults = order.faults;
    hits = 0;
    answer({ hits });
  }
});

async function open(dir: string): Promise<void> {
  await server?.close();
  server = await S3Server.start({ dir, buckets: [BUCKET], fault: ({ operation }) => faultOf(operation) });
  answer({ port: Number(new URL(server.url).port) });
}

function faultOf(operation: string): Fault | undefined {
  if (!faults?.operations.includes(operation)) return undefined;
  if (faults.skip-- > 0 || faults.times-- <= 0) return undefined;
  hits++;
  return faults.fault;
}

function answer(message: Answer): void {
  process.send?.(message);
}
