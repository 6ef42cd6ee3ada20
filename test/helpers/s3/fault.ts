import type { Operation } from './request.ts';

/** The request for which a fault is chosen. */
export interface FaultRequest {
  operation: Operation;
  bucket: string;
  key: string;
  part: number | undefined;
  /** Number of the request, from 1. */
  count: number;
}

/** How a request fails; undefined properties have no effect. */
export interface Fault {
  /** Reject with this status and code. */
  status?: number;
  code?: string;
  headers?: Record<string, string>;
  delay_ms?: number;
  /** Wait for this first. */
  until?: Promise<unknown>;
  /** Cut the connection after this many bytes of the request body. */
  cut_after?: number;
  /** Flip a bit of the request body. */
  corrupt?: boolean;
  /** Neither read nor respond. */
  stall?: boolean;
  /** Process the request, then cut the connection instead of responding. */
  lose_response?: boolean;
  /** Respond with status 200 and this error code in the body, without processing the request. */
  error_in_200?: string;
  /** Cut the response body after this many bytes. */
  cut_response_after?: number;
  /** Stop sending after this many bytes of the response body, without closing. */
  stall_response_after?: number;
}

export type FaultPlan = (request: FaultRequest) => Fault | undefined;
