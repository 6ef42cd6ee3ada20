/** Examples in the help of a command, by its name with those of its parents: what it is for, and the line to type. */
export const EXAMPLES: Record<string, readonly (readonly [purpose: string, line: string])[]> = {
  backup: [
    ['Back up now', 'bifract backup'],
    [
      'Every night: back up, then keep 7 daily and 4 weekly backups',
      'bifract backup --prune --keep-daily 7 --keep-weekly 4',
    ],
  ],
  restore: [
    [
      'Show what a restore would do',
      'bifract restore bifract-backup-20260301-020000.bifract-backup --dry-run',
    ],
    [
      'Prove that a backup can be restored',
      'bifract restore bifract-backup-20260301-020000.bifract-backup --drill',
    ],
    [
      'Restore into a new database next to the live one',
      'bifract restore bifract-backup-20260301-020000.bifract-backup --database bifract_copy',
    ],
  ],
  prune: [['Show what would be deleted', 'bifract prune --keep-daily 7 --keep-weekly 4 --dry-run']],
  archive: [
    ['Archive all logs of a fractal, one file per day', 'bifract archive web-prod --split day'],
    ['Archive March', 'bifract archive web-prod --from 2026-03-01 --to 2026-04-01'],
  ],
  'restore-archive': [
    [
      'Show what a restore would add',
      'bifract restore-archive 4f6c2a1e-8d0b-4c5e-9a37-1b2c3d4e5f60 --dry-run',
    ],
    [
      'Restore one hour into a new fractal',
      'bifract restore-archive 4f6c2a1e-8d0b-4c5e-9a37-1b2c3d4e5f60 --from 2026-03-01T14:00 --to 2026-03-01T15:00 --into-new incident',
    ],
  ],
  'run-due': [['Run the archives that are due, from cron', 'bifract run-due --non-interactive']],
  schedule: [
    ['Show the schedule of a fractal', 'bifract schedule web-prod'],
    [
      'Archive it every day, and keep 30 archives',
      'bifract schedule web-prod --every daily --split day --keep 30',
    ],
  ],
  coverage: [['Find days that are not archived', 'bifract coverage web-prod --unit day']],
  status: [['Check everything, for a monitoring system', 'bifract status --json']],
  'list archives': [['The archives of one fractal', 'bifract list archives --fractal web-prod']],
  show: [['Describe a backup', 'bifract show bifract-backup-20260301-020000.bifract-backup']],
  verify: [
    ['Read and check every file', 'bifract verify --all'],
    ['Only check sizes, headers and trailers', 'bifract verify --all --quick'],
  ],
  search: [
    [
      'Find lines that contain a text',
      'bifract search 4f6c2a1e-8d0b-4c5e-9a37-1b2c3d4e5f60 "connection refused"',
    ],
    [
      'Count the matches of a regular expression',
      'bifract search 4f6c2a1e-8d0b-4c5e-9a37-1b2c3d4e5f60 --regex "status=5[0-9]{2}" --count',
    ],
  ],
  extract: [
    [
      'Write the rows of an archive to a file',
      'bifract extract 4f6c2a1e-8d0b-4c5e-9a37-1b2c3d4e5f60 -o rows.ndjson',
    ],
    ['See what is in a backup', 'bifract extract bifract-backup-20260301-020000.bifract-backup --manifest'],
  ],
  'delete backup': [
    [
      'Show what would be deleted',
      'bifract delete backup bifract-backup-20260301-020000.bifract-backup --dry-run',
    ],
  ],
  copy: [['Copy a backup to S3', 'bifract copy bifract-backup-20260301-020000.bifract-backup --to s3']],
  adopt: [['Create the missing records of all archive files', 'bifract adopt --dry-run']],
  clean: [['Show what interrupted jobs have left behind', 'bifract clean --dry-run']],
  'key generate': [['Create the key of a new installation', 'bifract key generate']],
  init: [['Set up a directory', 'bifract init --dir /opt/bifract']],
  attach: [['Follow a job to its end', 'bifract attach 4f6c2a1e']],
  demo: [['Run a script in a throwaway installation', 'bifract demo --exec "bifract status"']],
};
