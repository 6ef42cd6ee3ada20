// Bundles the program into dist/: one file that starts fast, chunks for parts that only some commands need.
// Measured: Ink, React and commander loaded from node_modules take about 330 ms, bundled about 170 ms.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { build } from 'esbuild';
import pkg from '../package.json' with { type: 'json' };

const inlined = ['ink', 'react', 'commander', 'conf', 'execa', 'string-width'];
const external = [...Object.keys(pkg.dependencies), ...Object.keys(pkg.devDependencies)].filter(
  (name) => !inlined.includes(name),
);

/**
 * With a global `fetch`, yoga-layout fetches its WebAssembly from a data: URL, which loads all of Node's HTTP client
 * before the first frame. Without one it decodes the text itself.
 */
const yogaWithoutFetch = {
  name: 'yoga-without-fetch',
  setup(builder) {
    builder.onLoad({ filter: /yoga-wasm-base64-esm\.js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      return { contents: `const fetch = undefined;\n${text}` };
    });
  },
};

const { outputFiles } = await build({
  absWorkingDir: new URL('..', import.meta.url).pathname,
  entryPoints: {
    bifract: 'bin/bifract.ts',
    'chdb-server': 'bin/demo/chdb-server.ts',
    'supervisor-process': 'bin/demo/supervisor-process.ts',
    'row-check-worker': 'src/core/features/inspect/row-check-worker-main.ts',
    'match-thread': 'src/core/features/search/match-thread-main.ts',
    'decode-thread': 'src/core/adapters/clickhouse/native/decode-thread-main.ts',
    'encode-thread': 'src/core/adapters/clickhouse/native/encode-thread-main.ts',
  },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  jsx: 'automatic',
  external,
  alias: { 'react-devtools-core': './bin/no-devtools.ts' },
  define: { 'process.env.NODE_ENV': '"production"', BIFRACT_VERSION: JSON.stringify(pkg.version) },
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  plugins: [yogaWithoutFetch],
  legalComments: 'linked',
  logLevel: 'warning',
  write: false,
});

// Only now, so that a failed build leaves the last one in place.
await rm(new URL('../dist', import.meta.url), { recursive: true, force: true });
await mkdir(new URL('../dist', import.meta.url));
await Promise.all(outputFiles.map(({ path, contents }) => writeFile(path, contents, { mode: 0o755 })));
