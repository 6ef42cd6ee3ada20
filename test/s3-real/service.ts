import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { connect } from 'node:net';
import { until } from '../helpers/until.ts';

/** An S3 service on this machine. */
export interface RealService {
  /** Name and version. */
  title: string;
  url: string;
  access_key: string;
  secret_key: string;
  stop(): Promise<void>;
}

/** The processes of a service; stopped in reverse order. */
export class Processes {
  readonly #log: string;
  readonly #children: ChildProcess[] = [];

  /** `log` receives their output. */
  constructor(log: string) {
    this.#log = log;
  }

  start(command: string, args: string[], env: Record<string, string> = {}): void {
    const log = openSync(this.#log, 'a');
    const child = spawn(command, args, { stdio: ['ignore', log, log], env: { ...process.env, ...env } });
    closeSync(log);
    this.#children.push(child);
  }

  async stop(): Promise<void> {
    for (const child of this.#children.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await exit;
      clearTimeout(killer);
    }
  }
}

/** Waits until a service accepts connections on the port. */
export async function waitForPort(port: number, limit_ms = 60_000): Promise<void> {
  await until(
    async () => {
      const socket = connect(port, '127.0.0.1');
      try {
        await once(socket, 'connect');
        return true;
      } catch {
        return false;
      } finally {
        socket.destroy();
      }
    },
    limit_ms,
    `a service listens on port ${port}`,
  );
}

/** Installs missing Debian packages, which needs root. */
export function installPackages(packages: string[]): void {
  const missing = packages.filter((name) => packageVersion(name) === undefined);
  if (missing.length === 0) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const quiet = { env, stdio: ['ignore', 'ignore', 'inherit'] as ['ignore', 'ignore', 'inherit'] };
  execFileSync('apt-get', ['update', '-qq'], quiet);
  execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], quiet);
}

export function packageVersion(name: string): string | undefined {
  try {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg syntax
    const args = ['-W', '-f', '${db:Status-Status} ${Version}', name];
    const status = execFileSync('dpkg-query', args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return /^installed (.*)/.exec(status)?.[1];
  } catch {
    return undefined;
  }
}
