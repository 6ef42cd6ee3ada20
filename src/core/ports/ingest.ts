import type { CallOptions } from './types.ts';

/**
 * What became of lines that were sent: `accepted` means queued by the server; `refused` that it did not take them now, and
 * after how long to ask again where it said so; `unknown` that the answer was lost, and they may have been taken or not.
 */
export type IngestAnswer =
  | { outcome: 'accepted' }
  | { outcome: 'refused'; busy: boolean; wait_ms: number | null; reason: string }
  | { outcome: 'unknown'; reason: string };

/** The Bifract server's own way in for log lines. */
export interface Ingest {
  /** Where it is, for people. */
  readonly location: string;
  /**
   * Sends log lines, divided by newlines. `SERVER_UNREACHABLE` where nothing answers there or the token is not accepted,
   * `RESTORE_FAILED` where it will never take these lines.
   */
  send(token: string, lines: Buffer, options?: CallOptions): Promise<IngestAnswer>;
}
