import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPackages, Processes, type RealService, waitForPort } from './service.ts';

const SECRET_KEY = 'labsecretlabsecret';
const LAUNCHER = fileURLToPath(new URL('./swift-server.py', import.meta.url));
const PARTS = ['account', 'container', 'object', 'proxy'] as const;

/**
 * OpenStack Swift with its S3 API, one replica in one folder. Uses the Python package of Debian 13, which runs on
 * Debian 12 as well; it is unpacked, not installed.
 */
export async function startSwift(dir: string, port: number): Promise<RealService> {
  const PYTHONPATH = installSwift(join(dir, 'packages'));
  const processes = new Processes(join(dir, 'output'));
  const ports = Object.fromEntries(PARTS.map((part, at) => [part, part === 'proxy' ? port : port + 1 + at]));
  writeConfiguration(dir, ports);
  const env = { PYTHONPATH };
  try {
    processes.start('memcached', [
      '-u',
      'root',
      '-l',
      '127.0.0.1',
      '-p',
      String(port + 10),
      '-U',
      '0',
      '-m',
      '64',
    ]);
    execFileSync('/usr/bin/python3', [LAUNCHER, dir, 'rings', JSON.stringify(ports)], {
      env: { ...process.env, ...env },
    });
    for (const part of PARTS) processes.start('/usr/bin/python3', [LAUNCHER, dir, part], env);
    for (const part of PARTS) await waitForPort(ports[part] ?? 0);
  } catch (error) {
    await processes.stop();
    throw error;
  }
  return {
    title: `OpenStack Swift ${swiftVersion(PYTHONPATH)}`,
    url: `http://127.0.0.1:${port}`,
    access_key: 'lab:lab',
    secret_key: SECRET_KEY,
    stop: () => processes.stop(),
  };
}

function installSwift(dir: string): string {
  const path = join(dir, 'root/usr/lib/python3/dist-packages');
  if (existsSync(path)) return path;
  installPackages(['python3-swift', 'memcached']);
  for (const folder of [
    'etc/apt/sources.list.d',
    'etc/apt/preferences.d',
    'var/lib/apt/lists/partial',
    'var/cache/apt/archives/partial',
  ]) {
    mkdirSync(join(dir, 'apt', folder), { recursive: true });
  }
  writeFileSync(join(dir, 'apt/status'), '');
  const sources = readFileSync('/etc/apt/sources.list.d/debian.sources', 'utf8').split(/\n\s*\n/)[0] ?? '';
  const newer = sources.replace(/^Suites:.*/m, 'Suites: trixie');
  writeFileSync(join(dir, 'apt/etc/apt/sources.list.d/newer.sources'), `${newer}\n`);
  const options = [`Dir=${dir}/apt`, `Dir::State::status=${dir}/apt/status`, 'APT::Sandbox::User=root'];
  const apt = (...args: string[]) => {
    const all = [...options.flatMap((option) => ['-o', option]), ...args];
    execFileSync('apt-get', all, { cwd: dir, stdio: 'ignore' });
  };
  apt('update', '-qq');
  apt('download', 'python3-swift');
  const file = readdirSync(dir).find((name) => name.endsWith('.deb')) ?? '';
  execFileSync('dpkg', ['-x', join(dir, file), join(dir, 'root')]);
  rmSync(join(dir, 'apt'), { recursive: true });
  return path;
}

function swiftVersion(PYTHONPATH: string): string {
  const code = 'import importlib.metadata as m; print(m.version("swift"))';
  return execFileSync('/usr/bin/python3', ['-c', code], {
    env: { ...process.env, PYTHONPATH },
    encoding: 'utf8',
  }).trim();
}

function writeConfiguration(dir: string, ports: Record<string, number>): void {
  for (const folder of ['dev/d1', 'cache']) mkdirSync(join(dir, folder), { recursive: true });
  const put = (name: string, text: string) => writeFileSync(join(dir, name), text);
  const head = (part: string) =>
    `[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = ${ports[part]}\nworkers = 0\nuser = root\nswift_dir = ${dir}\n`;
  put(
    'swift.conf',
    '[swift-hash]\nswift_hash_path_suffix = lab\nswift_hash_path_prefix = lab\n' +
      '[storage-policy:0]\nname = one\ndefault = yes\n',
  );
  for (const part of ['account', 'container', 'object']) {
    put(
      `${part}.conf`,
      `${head(part)}devices = ${dir}/dev\nmount_check = false\nfallocate_reserve = 0\ndisable_fallocate = true\n` +
        `recon_cache_path = ${dir}/cache\n[pipeline:main]\npipeline = ${part}-server\n` +
        `[app:${part}-server]\nuse = egg:swift#${part}\n`,
    );
  }
  const memcached = `memcache_servers = 127.0.0.1:${(ports.proxy ?? 0) + 10}\n`;
  const sections = FILTERS.map(([name, egg, options]) => {
    return `[filter:${name}]\nuse = egg:swift#${egg}\n${name === 'cache' ? memcached : options}`;
  });
  put(
    'proxy.conf',
    `${head('proxy')}[pipeline:main]\npipeline = ${FILTERS.map(([name]) => name).join(' ')} proxy-server\n` +
      `[app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = true\n${sections.join('')}`,
  );
}

const FILTERS: [name: string, egg: string, options: string][] = [
  ['catch_errors', 'catch_errors', ''],
  ['gatekeeper', 'gatekeeper', ''],
  ['healthcheck', 'healthcheck', ''],
  ['cache', 'memcache', ''],
  ['listing_formats', 'listing_formats', ''],
  ['bulk', 'bulk', ''],
  ['s3api', 's3api', 'location = us-east-1\nmax_upload_part_num = 10000\nmin_segment_size = 5242880\n'],
  ['tempauth', 'tempauth', `user_lab_lab = ${SECRET_KEY} .admin\n`],
  ['copy', 'copy', ''],
  ['slo', 'slo', ''],
  ['dlo', 'dlo', ''],
  ['versioned_writes', 'versioned_writes', 'allow_object_versioning = true\n'],
  ['symlink', 'symlink', ''],
];
