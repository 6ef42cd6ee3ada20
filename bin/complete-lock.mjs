// Completes package-lock.json after `npm install`: `npm ci` wants an entry for every optional package, and npm
// writes none for a platform's package that the registry at hand does not serve. Prints what it added.
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

/** Platform packages say in their name what they are for. */
function entryOf(name, version, dev) {
  const words = name.split('/').at(-1).split('-');
  const os = words.find((word) => SYSTEMS.includes(word));
  const cpu = words[words.indexOf(os) + 1];
  const libc = LIBC[words.at(-1)];
  if (!os || !cpu || !/^\d/.test(version)) throw new Error(`Cannot tell what ${name}@${version} is for`);
  return {
    version,
    cpu: [cpu],
    ...(dev ? { dev } : {}),
    ...(libc ? { libc: [libc] } : {}),
    optional: true,
    os: [os],
  };
}
