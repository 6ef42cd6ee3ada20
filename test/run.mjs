// Runs the tests: node test/run.mjs [files or folders…] [-- flags for node --test…]
// All files share one PostgreSQL and one ClickHouse. They start on first use and end with this process, however it
// ends, as do the processes of the tests.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { delimiter, dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const CONCURRENCY = 2;
// Limit of each test and hook; a test's own `timeout` wins. Node 26 applies --test-timeout to each test, Node 22 to
// whole files, which may take longer: there, only a test's own `timeout` limits it.
const TEST_TIMEOUT_MS = 180_000;
// Fails a file that stays alive after its tests, such as one with a test that timed out.
const EXIT_GUARD = join(import.meta.dirname, 'helpers/exit-guard.mjs');

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const other = otherNode();
if (other) process.exit(await rerun(other));

const { tsImport } = await import('tsx/esm/api');
const { startDemoSupervisor } = await tsImport('../bin/demo/supervisor.ts', import.meta.url);
const { startServices } = await tsImport('../bin/demo/services.ts', import.meta.url);
const { BROKER_VARIABLE } = await tsImport('./helpers/broker-variable.ts', import.meta.url);

const { files, flags } = choose(process.argv.slice(2));
if (files.length === 0) {
  console.error('No test files found');
  process.exit(2);
}
const supervisor = await startDemoSupervisor();
const broker = await startBroker();
const child = spawn(
  process.execPath,
  [
    ...['--import', 'tsx', '--import', EXIT_GUARD],
    ...['--test', `--test-concurrency=${CONCURRENCY}`],
    // Worker threads start from TypeScript sources, which tsx does not load.
    ...(isOlderThan(22, 18) ? ['--experimental-strip-types', '--disable-warning=ExperimentalWarning'] : []),
    ...(major >= 26 ? [`--test-timeout=${TEST_TIMEOUT_MS}`] : []),
    ...flags,
    ...files,
  ],
  {
    cwd: ROOT,
    stdio: 'inherit',
    // Preferences of the console must not come from the user who runs the tests.
    env: { ...process.env, [BROKER_VARIABLE]: broker, XDG_CONFIG_HOME: join(supervisor.dir, 'config') },
  },
);
supervisor.adopt(child.pid);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
const [code] = await once(child, 'exit');
await supervisor.stop();
process.exit(code ?? 1);

function isOlderThan(wanted_major, wanted_minor) {
  return major < wanted_major || (major === wanted_major && minor < wanted_minor);
}

/**
 * The Node to run the tests with, if it is not this one. With BIFRACT_TEST_NODE=system it is the one that PATH had
 * before npm put the project's own in front of it; else this one, or the project's own if this one is too old.
 */
function otherNode() {
  const bundled = join(ROOT, 'node_modules/.bin/node');
  if (process.env.BIFRACT_TEST_NODE === 'system') {
    const system = systemNode();
    if (realpathSync(system) !== realpathSync(process.execPath)) return system;
    if (isOlderThan(22, 15)) fail(`Node 22.15 or newer is required; ${system} is ${process.version}`);
    return undefined;
  }
  if (!isOlderThan(22, 15)) return undefined;
  if (!existsSync(bundled)) fail(`Node 22.15 or newer is required; this is ${process.version}`);
  return bundled;
}

function systemNode() {
  const folders = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !/node_modules\//.test(folder));
  const found = folders.map((folder) => join(folder, 'node')).find((path) => existsSync(path));
  return found ?? fail('BIFRACT_TEST_NODE=system, but PATH has no node outside of node_modules');
}

function fail(message) {
  console.error(message);
  process.exit(2);
}

/** Runs this script with another Node, which the tests also find first in PATH. */
async function rerun(node) {
  const PATH = [dirname(node), process.env.PATH].join(delimiter);
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit', env: { ...process.env, PATH } });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  const [code] = await once(child, 'exit');
  return code ?? 1;
}

function choose(args) {
  const end = args.indexOf('--');
  const named = end < 0 ? args : args.slice(0, end);
  const flags = end < 0 ? [] : args.slice(end + 1);
  const all = (folder) =>
    readdirSync(join(ROOT, folder), { recursive: true })
      .filter((name) => /\.test\.tsx?$/.test(name))
      .map((name) => join(folder, name))
      .sort();
  const folder = (name) => statSync(join(ROOT, name), { throwIfNoEntry: false })?.isDirectory();
  const files =
    named.length === 0 ? all('test') : named.flatMap((name) => (folder(name) ? all(name) : [name]));
  return { files, flags };
}

/** Serves the addresses of the databases under a secret path; the first request starts the databases. */
async function startBroker() {
  const path = `/${randomBytes(16).toString('hex')}`;
  let services;
  const server = createServer(async (request, response) => {
    if (request.url !== path) return response.writeHead(404).end();
    services ??= startServices(supervisor, 'A');
    try {
      response.end(JSON.stringify(await services));
    } catch (error) {
      response.writeHead(500).end([error.message, error.hint].filter(Boolean).join('. '));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${server.address().port}${path}`;
}
