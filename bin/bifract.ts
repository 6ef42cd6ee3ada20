#!/usr/bin/env node
import { enableCompileCache } from './compile-cache.ts';
import { leaveMissingFolder } from './missing-folder.ts';
import { poolThreads } from './pool.ts';
import { restrictEnvironment } from './trusted.ts';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 15)) {
  process.stderr.write(
    `bifract requires Node 22.15 or newer (this is ${process.versions.node}) for its built-in zstd.\n`,
  );
  process.exit(4);
}
// Must be set before the first use of the pool, which never grows.
process.env.UV_THREADPOOL_SIZE ??= String(poolThreads());
leaveMissingFolder();
restrictEnvironment();
enableCompileCache();
const { main } = await import('./main.ts');
await main(process.argv.slice(2));
