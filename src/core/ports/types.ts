/** A time in UTC, ISO 8601 with `Z`, as `2026-03-01T12:00:00.123Z`. Precision is the source's. */
export type Timestamp = string;

/** Options of every call of a port: the signal cancels it, and its reason becomes the error. */
export interface CallOptions {
  signal?: AbortSignal;
}

export interface ShapeOptions extends CallOptions {
  /** Read it again: the server may have been upgraded since. */
  again?: boolean;
}
