import { execFileSync } from 'node:child_process';
import { chownSync, copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../helpers/until.ts';
import { installPackages, Processes } from '../s3-real/service.ts';

/** One image for every container: a Debian root with PostgreSQL, and the libraries that Node needs. */
export const IMAGE = 'bifract-test:1';
/** The user of the server's container, and owner of the volume with the archives. */
export const APP_USER = 1000;

const START_MS = 60_000;
const PACKAGES = 'postgresql,ca-certificates,libatomic1,libstdc++6';

/** A Docker engine of its own, next to one that may be running on this machine. */
export class DockerEngine {
  /** What makes `docker` and `docker compose` use it. */
  readonly env: Record<string, string>;
  readonly #processes: Processes;

  private constructor(dir: string) {
    this.env = { DOCKER_HOST: `unix://${dir}/socket`, DOCKER_CONFIG: join(dir, 'client') };
    this.#processes = new Processes(join(dir, 'dockerd.log'));
  }

  /** Starts it in the folder, and makes the image. Needs root; installs Debian packages that are missing. */
  static async start(dir: string): Promise<DockerEngine> {
    installPackages([
      ...missing('dockerd', ['docker.io', 'iptables']),
      ...missing('debootstrap', ['debootstrap']),
    ]);
    const engine = new DockerEngine(dir);
    engine.#provideCompose(dir);
    engine.#processes.start('dockerd', daemonArgs(dir, engine.env.DOCKER_HOST as string));
    try {
      await until(() => engine.#answers(), START_MS, 'the Docker engine answers');
      engine.#makeImage(process.env.DOCKER_REAL_ROOT ?? join(dir, 'root'));
    } catch (error) {
      const log = readFileSync(join(dir, 'dockerd.log'), 'utf8').split('\n').slice(-15).join('\n');
      await engine.stop();
      throw new Error(`This machine cannot run a Docker engine\n${log}`, { cause: error });
    }
    return engine;
  }

  /** The output of a docker command. Throws if it fails. */
  docker(args: string[], cwd?: string): string {
    const env = { ...process.env, ...this.env };
    return execFileSync('docker', args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  stop(): Promise<void> {
    return this.#processes.stop();
  }

  #answers(): boolean {
    try {
      this.docker(['info']);
      return true;
    } catch {
      return false;
    }
  }

  /** Debian's docker-compose is not a plugin of the client. */
  #provideCompose(dir: string): void {
    try {
      this.docker(['compose', 'version']);
    } catch {
      installPackages(missing('docker-compose', ['docker-compose']));
      const plugins = join(dir, 'client/cli-plugins');
      mkdirSync(plugins, { recursive: true });
      copyFileSync(join(import.meta.dirname, 'compose-plugin.sh'), join(plugins, 'docker-compose'));
    }
  }

  #makeImage(root: string): void {
    if (!existsSync(join(root, 'usr/bin/setpriv')))
      execFileSync('debootstrap', ['--variant=minbase', `--include=${PACKAGES}`, release(), root], {
        stdio: ['ignore', 'ignore', 'inherit'],
      });
    // A new volume takes over the owner of the folder in the image.
    mkdirSync(join(root, 'archives'), { recursive: true });
    chownSync(join(root, 'archives'), APP_USER, APP_USER);
    const env = { ...process.env, ...this.env, ROOT: root, IMAGE };
    execFileSync('sh', ['-c', 'tar -C "$ROOT" -c . | docker import - "$IMAGE"'], { env, stdio: 'pipe' });
  }
}

/** Everything that a second engine on the machine could share with the first is named or left out. */
function daemonArgs(dir: string, host: string): string[] {
  return [
    ...['--host', host, '--data-root', join(dir, 'data'), '--exec-root', join(dir, 'exec')],
    ...['--pidfile', join(dir, 'pid'), '--bridge', 'none'],
    ...['--containerd-namespace', 'bifract-test', '--containerd-plugins-namespace', 'bifract-test-plugins'],
  ];
}

function missing(program: string, packages: string[]): string[] {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return [];
  } catch {
    return packages;
  }
}

/** The Debian release of this machine: with another one in the container, the programs of one would not suit the other. */
function release(): string {
  return /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'stable';
}
