import type { CallOptions } from './types.ts';

/**
 * Result of sending lines: `accepted` means the server queued them; `refused` that it did not accept them now (retry after
 * `wait_ms` if given); `unknown` that the response was lost, so they may or may not have been accepted.
 */
export type IngestResult =
  | { outcome: 'accepted' }
  | { outcome: 'refused'; busy: boolean; wait_ms: number | null; reason: string }
  | { outcome: 'unknown'; reason: string };

/** The Bifract server's ingest endpoint. */
export interface Ingest {
  /** URL, for messages. */
  readonly location: string;
  /**
   * Sends newline-separated log lines. Throws `SERVER_UNREACHABLE` if the server does not respond or rejects the token,
   * `RESTORE_FAILED` if it rejects the lines for good.
   */
  send(token: string, lines: Buffer, options?: CallOptions): Promise<IngestResult>;
}
