#!/usr/bin/env node
import module from 'node:module';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 15)) {
  process.stderr.write(
    `bifract needs Node 22.15 or newer (this is ${process.versions.node}): zstd is built in from there on.\n`,
  );
  process.exit(4);
}
module.enableCompileCache?.();
const { main } = await import('./main.ts');
await main(process.argv.slice(2));
