import { crc32 } from 'node:zlib';
import type { Client, Connection, Submittable } from 'pg';

/** The rows of a `COPY … TO STDOUT`: how many, and the CRC-32 of their text. */
export interface CopiedRows {
  rows: number;
  crc32: number;
}

/** Runs a `COPY … TO STDOUT` and keeps none of its rows. */
export async function copyOut(client: Client, sql: string): Promise<CopiedRows> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const copied = { rows: 0, crc32: 0 };
  const ignore = () => undefined;
  const statement = {
    submit: (connection: Connection) => connection.query(sql),
    handleCopyData({ chunk }: { chunk: Buffer }) {
      // Servers send one message a row.
      copied.rows++;
      copied.crc32 = crc32(chunk, copied.crc32);
    },
    handleRowDescription: ignore,
    handleDataRow: ignore,
    handleCommandComplete: ignore,
    handleEmptyQuery: ignore,
    handleReadyForQuery: () => resolve(),
    handleError: reject,
  };
  client.query(statement as Submittable);
  await promise;
  return copied;
}
