import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { formatBytes } from '../../src/core/text/units.ts';
import type { Measured, Row } from '../run.ts';

const INTRODUCTION = `# Performance

How fast bifract console is, next to what people use for the same work. \`npm run bench -- --write\` measures
everything on one machine and writes this page. Compare the ratios, not the times: programs that are compared with each
other run by turns, and the medians count, but other machines have other disks and cores.
`;

/** The page docs/performance.md: the machine, and the table of each benchmark. */
export async function performancePage(benches: readonly Measured[]): Promise<string> {
  const parts = [INTRODUCTION, await machine()];
  for (const { name, bench, table } of benches)
    parts.push(`## ${name}\n\n${capitalized(bench.title)}.\n`, markdown(table));
  return parts.join('\n');
}

async function machine(): Promise<string> {
  const [cpu] = cpus();
  const clickhouse = await version('chdb');
  const facts = [
    `${availableParallelism()} cores of ${cpu?.model.trim() ?? 'an unknown processor'}`,
    `${formatBytes(totalmem())} of memory`,
    `Linux ${release()}`,
    `Node ${process.versions.node}`,
    `ClickHouse as in chdb ${clickhouse}`,
  ];
  return `Measured on ${new Date().toISOString().slice(0, 10)}: ${facts.join(', ')}. Client and servers share the cores.\n`;
}

async function version(name: string): Promise<string> {
  const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(await readFile(file, 'utf8')) as { version: string }).version;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A Markdown table. Columns are those of all rows, in order of appearance. */
function markdown(rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const body = rows.map((row) => line(columns.map((column) => row[column] ?? '')));
  return `${[line(columns), line(columns.map(() => '---')), ...body].join('\n')}\n`;
}
