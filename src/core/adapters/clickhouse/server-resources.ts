import { BifractError } from '../../contract/errors.ts';
import type { CallOptions } from '../../ports/types.ts';
import type { Query } from './queries.ts';
import type { ClickHouseSession } from './session.ts';

/** More would not be faster: one thread reads or writes the archive. */
const MAX_STREAMS = 4;
/** A statement takes up to so many bytes; the server needs memory for more than that. */
const MEMORY_PER_STREAM = 1e9;
const SERVER_MEMORY_PER_STREAM = 4e9;

/** What a server has for statements that run at the same time. */
export class ServerResources {
  readonly #session: ClickHouseSession;
  #found: { cores: number; memory: number } | undefined;

  constructor(session: ClickHouseSession) {
    this.#session = session;
  }

  /** Number of statements at a time, with `max_memory` bytes for all of them: each takes a core or two, and memory. */
  async streams({ signal, max_memory }: CallOptions & { max_memory?: number }): Promise<number> {
    this.#found ??= await this.#ask({ signal });
    return streamsFor(this.#found.cores, this.#found.memory, max_memory);
  }

  async #ask(options: CallOptions): Promise<{ cores: number; memory: number }> {
    try {
      return await this.#session.row(resourcesQuery(), options);
    } catch (error) {
      // Not every user may ask.
      if (error instanceof BifractError && error.code === 'QUERY_FAILED') return { cores: 1, memory: 0 };
      throw error;
    }
  }
}

/** As many as cores and memory allow without slowing the server down for others; `memory` 0: unknown. */
export function streamsFor(cores: number, memory: number, max_memory = Number.POSITIVE_INFINITY): number {
  const byMemory = memory > 0 ? Math.floor(memory / SERVER_MEMORY_PER_STREAM) : MAX_STREAMS;
  const byLimit = Math.floor(max_memory / MEMORY_PER_STREAM);
  return Math.max(1, Math.min(MAX_STREAMS, Math.floor(cores / 2), byMemory, byLimit));
}

function resourcesQuery(): Query {
  return {
    sql: `SELECT toUInt32(getSetting('max_threads')) AS cores, toFloat64OrZero((SELECT max(value) FROM system.server_settings
        WHERE name = 'max_server_memory_usage')) AS memory FORMAT JSONEachRow`,
    params: {},
  };
}
