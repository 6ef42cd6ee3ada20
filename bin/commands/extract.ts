import { resolve } from 'node:path';
import { Option } from 'commander';
import { BifractError } from '../../src/core/contract/errors.ts';
import { defineCommand } from '../command.ts';
import { completeName } from '../complete-name.ts';
import { addFooter, targetHelp } from '../help.ts';
import { writeStdout } from '../output/stdout.ts';
import { withEngine } from '../session.ts';
import { writeNewFile } from '../wiring.ts';

interface Input {
  file: string;
  output?: string;
  part: 'content' | 'manifest' | 'raw';
}

interface Options {
  output?: string;
  manifest?: boolean;
  raw?: boolean;
}

/** Writes the content of a file to stdout, or to a new file that exists only when complete. */
export const command = defineCommand<Input>({
  declare(command, choose) {
    addFooter(command, targetHelp('an archive', '<file>'))
      .description('Write the plain content of a file: the dump of a backup, the NDJSON of an archive')
      .argument('<file>')
      .option('-o, --output <file>', 'Write to a new file instead of stdout')
      .addOption(
        new Option('--manifest', 'Write the manifest of a backup instead of its dump').conflicts('raw'),
      )
      .option('--raw', 'Decrypt only: do not decompress')
      .action((file: string, { output, manifest, raw }: Options) => {
        const part = manifest ? 'manifest' : raw ? 'raw' : 'content';
        choose({ file, output, part });
      });
  },
  run: ({ file, output, part }, context) =>
    withEngine(context, async (session) => {
      const { engine, signal } = session;
      const content = engine.extract(await completeName(session, file, 'backup', 'archive'), part, {
        signal,
      });
      if (output === undefined || output === '-') await toStdout(content);
      else await writeNewFile(resolve(output), content, signal);
      return 0;
    }),
  only_output: true,
});

async function toStdout(content: AsyncIterable<Buffer>): Promise<void> {
  if (process.stdout.isTTY) {
    throw new BifractError('USAGE', 'Cannot write binary content to a terminal', {
      hint: 'Write it to a file with -o, or redirect stdout.',
    });
  }
  for await (const piece of content) if (!(await writeStdout(piece))) return;
}
