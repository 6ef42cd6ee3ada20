// Runs the tests: node test/run.mjs [files or folders…] [-- flags for node --test…]
// One PostgreSQL and one ClickHouse serve all files; they start when the first file asks for them, and end with
// this process, however it ends. So do the processes of the tests.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const CONCURRENCY = 2;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 15)) {
  process.exit(await rerun(join(ROOT, 'node_modules/.bin/node')));
}

const { tsImport } = await import('tsx/esm/api');
const { startKeeper } = await tsImport('../bin/demo/keeper.ts', import.meta.url);
const { startServices } = await tsImport('../bin/demo/services.ts', import.meta.url);
const { BROKER_VARIABLE } = await tsImport('./helpers/broker-variable.ts', import.meta.url);

const { files, flags } = choose(process.argv.slice(2));
if (files.length === 0) {
  console.error('No test file matches');
  process.exit(2);
}
const keeper = await startKeeper();
const broker = await startBroker();
const child = spawn(
  process.execPath,
  ['--import', 'tsx', '--test', `--test-concurrency=${CONCURRENCY}`, ...flags, ...files],
  { cwd: ROOT, stdio: 'inherit', env: { ...process.env, [BROKER_VARIABLE]: broker } },
);
keeper.adopt(child.pid);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
const [code] = await once(child, 'exit');
await keeper.stop();
process.exit(code ?? 1);

/** This Node is too old: the project brings one along. */
async function rerun(node) {
  if (!existsSync(node)) {
    console.error(`Node 22.15 or newer is needed; this is ${process.version}`);
    return 2;
  }
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  const [code] = await once(child, 'exit');
  return code ?? 1;
}

function choose(words) {
  const end = words.indexOf('--');
  const named = end < 0 ? words : words.slice(0, end);
  const flags = end < 0 ? [] : words.slice(end + 1);
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

/** Answers, to those who know its address, where the databases are; the first question starts them. */
async function startBroker() {
  const path = `/${randomBytes(16).toString('hex')}`;
  let services;
  const server = createServer(async (request, response) => {
    if (request.url !== path) return response.writeHead(404).end();
    services ??= startServices(keeper);
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
