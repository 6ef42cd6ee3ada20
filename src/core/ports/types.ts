/** A time in UTC, ISO 8601 with `Z`, as `2026-03-01T12:00:00.123Z`. Precision is the source's. */
export type Timestamp = string;

/** What every call of a port takes: the signal ends it, with the signal's reason as the error. */
export interface CallOptions {
  signal?: AbortSignal;
}
