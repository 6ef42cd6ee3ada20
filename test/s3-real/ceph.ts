import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installPackages, Processes, packageVersion, type RealService, waitForPort } from './service.ts';

const ACCESS_KEY = 'labaccess';
const SECRET_KEY = 'labsecretlabsecret';

/** Ceph's RADOS Gateway with one monitor and one object store in memory, all on 127.0.0.1, from Debian's packages. */
export async function startCeph(dir: string, port: number): Promise<RealService> {
  installPackages(['radosgw', 'ceph-mon', 'ceph-osd']);
  const cluster = new Cluster(dir, port);
  const processes = new Processes(join(dir, 'log/output'));
  try {
    cluster.prepare();
    processes.start('ceph-mon', ['-f', '-i', 'a'], cluster.env);
    cluster.addStore();
    processes.start('ceph-osd', ['-f', '-i', '0'], cluster.env);
    processes.start('radosgw', ['-f', '-n', 'client.rgw'], cluster.env);
    await waitForPort(port);
    cluster.addUser();
  } catch (error) {
    await processes.stop();
    throw error;
  }
  return {
    title: `Ceph RADOS Gateway ${packageVersion('radosgw')}`,
    url: `http://127.0.0.1:${port}`,
    access_key: ACCESS_KEY,
    secret_key: SECRET_KEY,
    stop: () => processes.stop(),
  };
}

class Cluster {
  readonly env: Record<string, string>;
  readonly #dir: string;
  readonly #port: number;
  readonly #fsid = randomUUID();

  constructor(dir: string, port: number) {
    this.#dir = dir;
    this.#port = port;
    this.env = { CEPH_CONF: join(dir, 'ceph.conf') };
  }

  /** Configuration, keys, and the monitor's store. */
  prepare(): void {
    for (const folder of ['mon', 'osd', 'rgw', 'log', 'run'])
      mkdirSync(join(this.#dir, folder), { recursive: true });
    writeFileSync(join(this.#dir, 'ceph.conf'), this.#configuration());
    const keyring = join(this.#dir, 'keyring');
    const map = join(this.#dir, 'monmap');
    this.#run('ceph-authtool', [
      '--create-keyring',
      keyring,
      '--gen-key',
      '-n',
      'mon.',
      '--cap',
      'mon',
      'allow *',
    ]);
    for (const [name, ...caps] of KEYS) {
      const args = caps.flatMap((cap) => ['--cap', ...(cap.split('=') as [string, string])]);
      this.#run('ceph-authtool', [keyring, '--gen-key', '-n', name, ...args]);
    }
    const address = `[v2:127.0.0.1:${this.#port + 1}]`;
    this.#run('monmaptool', ['--create', '--clobber', '--fsid', this.#fsid, '--addv', 'a', address, map]);
    this.#run('ceph-mon', ['--mkfs', '-i', 'a', '--monmap', map, '--keyring', keyring]);
  }

  addStore(): void {
    const id = randomUUID();
    this.#run('ceph', ['osd', 'new', id]);
    this.#run('ceph-osd', ['-i', '0', '--mkfs', '--osd-uuid', id]);
  }

  addUser(): void {
    const keys = ['--access-key', ACCESS_KEY, '--secret-key', SECRET_KEY];
    this.#run('radosgw-admin', [
      '-n',
      'client.rgw',
      'user',
      'create',
      '--uid=lab',
      '--display-name=lab',
      ...keys,
    ]);
  }

  #run(command: string, args: string[]): void {
    const env = { ...process.env, ...this.env };
    execFileSync(command, args, { env, timeout: 60_000, stdio: ['ignore', 'ignore', 'pipe'] });
  }

  #configuration(): string {
    const dir = this.#dir;
    const ports = this.#port + 10;
    return `[global]
fsid = ${this.#fsid}
mon host = v2:127.0.0.1:${this.#port + 1}
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind port min = ${ports}
ms bind port max = ${ports + 40}
keyring = ${dir}/keyring
run dir = ${dir}/run
admin socket = ${dir}/run/$name.$pid.asok
log file = ${dir}/log/$name.log
crash dir = ${dir}/log
pid file =
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
paxos propose interval = 0.05
paxos min wait = 0.01
mon osd prime pg temp = false
mon max pg per osd = 1000
[mon.a]
mon data = ${dir}/mon
mon data avail crit = 1
mon data avail warn = 1
[osd.0]
osd data = ${dir}/osd
osd objectstore = memstore
osd journal =
memstore device bytes = 4294967296
osd memory target = 939524096
osd class load list = *
[client.rgw]
rgw data = ${dir}/rgw
rgw frontends = beast endpoint=127.0.0.1:${this.#port}
rgw thread pool size = 64
rgw enable usage log = false
rgw gc obj min wait = 10
rgw gc processor period = 10
`;
  }
}

const KEYS: [name: string, ...caps: string[]][] = [
  ['client.admin', 'mon=allow *', 'osd=allow *', 'mgr=allow *'],
  ['client.rgw', 'mon=allow rw', 'osd=allow rwx', 'mgr=allow rw'],
  ['osd.0', 'mon=allow profile osd', 'osd=allow *', 'mgr=allow profile osd'],
];
