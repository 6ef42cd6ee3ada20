import { spawn } from '@lydell/node-pty';
import { startDemo } from '../bin/demo/installation.ts';
import type { Bench } from './run.ts';
import { PROGRAM } from './tools/program.ts';

const RUNS = 12;

export const bench: Bench = {
  title: 'milliseconds from exec to the first full frame of the console, 80×24, warm',
  async run() {
    const demo = await startDemo({ generation: 'A', scale: 0 });
    try {
      const times: number[] = [];
      for (let run = 0; run < RUNS; run++) times.push(await firstFrame(demo.dir));
      const warm = times.slice(2).sort((a, b) => a - b);
      const at = (part: number) => (warm[Math.floor((warm.length - 1) * part)] ?? 0).toFixed(0);
      return [
        { fastest: at(0), median: at(0.5), slowest: at(1), 'first of all': (times[0] ?? 0).toFixed(0) },
      ];
    } finally {
      await demo.stop();
    }
  },
};

/** The frame is complete once the footer is drawn. */
function firstFrame(dir: string): Promise<number> {
  const started = performance.now();
  const terminal = spawn(process.execPath, [PROGRAM, '--dir', dir], {
    cols: 80,
    rows: 24,
    name: 'xterm-256color',
  });
  return new Promise((resolve, reject) => {
    let text = '';
    let took: number | undefined;
    terminal.onData((data) => {
      text += data;
      if (took === undefined && text.includes('Overview') && text.includes('quit')) {
        took = performance.now() - started;
        terminal.write('q');
      }
    });
    terminal.onExit(() => (took === undefined ? reject(new Error(`No frame: ${text}`)) : resolve(took)));
  });
}
