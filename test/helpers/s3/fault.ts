import type { Operation } from './request.ts';

/** What is asked before each request is served. */
export interface FaultQuestion {
  operation: Operation;
  bucket: string;
  key: string;
  part: number | undefined;
  /** Counts all requests from 1. */
  count: number;
}

/** How a request is to go wrong; what is undefined goes right. */
export interface Fault {
  /** Refuse with this status and code, without doing it. */
  status?: number;
  code?: string;
  headers?: Record<string, string>;
  delay_ms?: number;
  /** Wait for this before anything is done. */
  until?: Promise<unknown>;
  /** Cut the connection once so many bytes of the body have come. */
  cut_after?: number;
  /** Flip a bit of the body on its way. */
  corrupt?: boolean;
  /** Neither read nor answer any more. */
  stall?: boolean;
  /** Do it, then cut the connection instead of answering. */
  lose_answer?: boolean;
  /** Answer 200 with an error of this code as the body, without doing it. */
  error_in_200?: string;
  /** Cut the answer's body after so many bytes. */
  cut_answer_after?: number;
  /** Stop sending after so many bytes of the answer's body, without closing. */
  stall_answer_after?: number;
}

export type FaultPlan = (question: FaultQuestion) => Fault | undefined;
