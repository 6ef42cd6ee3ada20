import { Argument } from 'commander';
import { defineCommand } from '../command.ts';
import { addFooter } from '../help.ts';
import { SCRIPTS, SHELLS, type Shell } from './scripts.ts';

const HELP = `Load it in the startup file of the shell:

  bash  source <(bifract completion bash)
  zsh   source <(bifract completion zsh)
  fish  bifract completion fish | source`;

export const command = defineCommand<{ shell: Shell }>({
  declare(command, choose) {
    addFooter(command, HELP)
      .description('Print the completion script of a shell: commands, options and names of the installation')
      .addArgument(new Argument('<shell>').choices(SHELLS))
      .action((shell: Shell) => choose({ shell }));
  },
  async run({ shell }) {
    process.stdout.write(SCRIPTS[shell]('bifract'));
    return 0;
  },
  only_output: true,
});
