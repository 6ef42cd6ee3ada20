import { BifractError } from '../../src/core/contract/errors.ts';
import { defineCommand } from '../command.ts';
import { completeNames } from '../complete-name.ts';
import { addFooter, targetHelp } from '../help.ts';
import { runJob } from '../jobs/run.ts';
import { withEngine } from '../session.ts';

interface Input {
  targets: string[] | 'all';
  quick: boolean;
}

export const command = defineCommand<Input>({
  declare(command, choose) {
    addFooter(command, targetHelp('an archive or a group'))
      .description('Verify files: read them in full and compare them with their records')
      .usage('[options] <target>... | --all')
      .argument('[targets...]')
      .option('--all', 'Verify every backup and every completed archive', false)
      .option('--quick', 'Check only size, header and trailer', false)
      .action((targets: string[], { all, quick }: { all: boolean; quick: boolean }) => {
        if (all === targets.length > 0) {
          throw new BifractError(
            'USAGE',
            all ? '--all cannot be combined with targets' : 'No targets given',
            {
              hint: 'Name files or archive IDs, or pass --all.',
            },
          );
        }
        choose({ targets: all ? 'all' : targets, quick });
      });
  },
  run: ({ targets, quick }, context) =>
    withEngine(context, async (session) => {
      const named =
        targets === 'all' ? targets : await completeNames(session, targets, 'backup', 'archive', 'group');
      return runJob(session, { kind: 'verify', targets: named, quick });
    }),
  detachable: true,
});
