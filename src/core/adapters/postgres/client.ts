import type { Client } from 'pg';

/**
 * The driver's client, changed to close its connection after a failed login. Otherwise it stays open, and keeps this
 * process alive, until the server times out waiting for the password.
 */
export function closingClient(Base: typeof Client): typeof Client {
  return class ClosingClient extends Base {
    override connect(): Promise<this>;
    override connect(callback: (error: Error | undefined) => void): void;
    override connect(callback?: (error: Error | undefined) => void): Promise<this> | undefined {
      const connected = super.connect().catch((error: unknown) => {
        this.end().catch(() => undefined);
        throw error;
      });
      if (!callback) return connected.then(() => this);
      connected.then(() => callback(undefined), callback);
      return undefined;
    }
  };
}
