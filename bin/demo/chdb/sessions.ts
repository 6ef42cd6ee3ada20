import type { ChdbEngine, Connection } from './engine.ts';
import { exception } from './exception.ts';

/** A connection for one statement; `release` closes it or keeps it for the session. */
export interface Lease {
  connection: Connection;
  release(): Promise<void>;
}

interface Session {
  connection: Connection;
  busy: boolean;
  timer?: NodeJS.Timeout;
}

/** Client sessions by ID: they keep temporary tables and settings between requests. */
export class Sessions {
  readonly #engine: ChdbEngine;
  readonly #sessions = new Map<string, Session>();

  constructor(engine: ChdbEngine) {
    this.#engine = engine;
  }

  /** Without an ID: a new connection. Throws `SESSION_IS_LOCKED` while another request of the session runs. */
  lease(id: string | null, timeout_seconds: number): Lease {
    if (!id) {
      const connection = this.#engine.open();
      return { connection, release: () => this.#engine.close(connection) };
    }
    const session = this.#sessions.get(id) ?? { connection: this.#engine.open(), busy: false };
    if (session.busy)
      throw exception(373, 'SESSION_IS_LOCKED', `Session ${id} is locked by a concurrent client`);
    session.busy = true;
    clearTimeout(session.timer);
    this.#sessions.set(id, session);
    const release = async () => {
      session.busy = false;
      session.timer = setTimeout(() => this.#expire(id, session), timeout_seconds * 1_000);
    };
    return { connection: session.connection, release };
  }

  #expire(id: string, session: Session): void {
    this.#sessions.delete(id);
    void this.#engine.close(session.connection);
  }

  end(): void {
    for (const { connection } of this.#sessions.values()) connection.close();
  }
}
