// Completes package-lock.json after `npm install`: `npm ci` requires an entry for every optional package, but npm
// writes none for packages of other platforms that the registry does not serve. Prints what it added.
import { readFile, writeFile } from 'node:fs/promises';

const PATH = new URL('../package-lock.json', import.meta.url);
const SYSTEMS = [
  'darwin',
  'linux',
  'win32',
  'android',
  'freebsd',
  'openbsd',
  'netbsd',
  'sunos',
  'aix',
  'openharmony',
];
const LIBC = { musl: 'musl', gnu: 'glibc' };

const lock = JSON.parse(await readFile(PATH, 'utf8'));
for (const [name, version, dev] of missing(lock)) {
  lock.packages[`node_modules/${name}`] = entryOf(name, version, dev);
  console.log(`added ${name}@${version}`);
}
const sorted = Object.entries(lock.packages).sort(([one], [other]) => one.localeCompare(other, 'en'));
await writeFile(PATH, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);

function missing({ packages }) {
  return Object.values(packages).flatMap(({ optionalDependencies = {}, dev }) =>
    Object.entries(optionalDependencies)
      .filter(([name]) => !(`node_modules/${name}` in packages))
      .map(([name, version]) => [name, version, dev]),
  );
}

/** Reads the platform from the package name. */
function entryOf(name, version, dev) {
  const parts = name.split('/').at(-1).split('-');
  const os = parts.find((part) => SYSTEMS.includes(part));
  const cpu = parts[parts.indexOf(os) + 1];
  const libc = LIBC[parts.at(-1)];
  if (!os || !cpu || !/^\d/.test(version)) throw new Error(`Unknown platform of ${name}@${version}`);
  return {
    version,
    cpu: [cpu],
    ...(dev ? { dev } : {}),
    ...(libc ? { libc: [libc] } : {}),
    optional: true,
    os: [os],
  };
}
