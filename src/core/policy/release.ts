import type { InstallationShape } from '../ports/installation-shape.ts';

/** A sentence about the release of the server that has created an installation, human-readable. */
export function describeRelease({ records, logs }: InstallationShape): string {
  const keeper =
    records.archives === 'server' ? 'the server keeps archive records' : 'the console keeps archive records';
  return `Bifract ${releaseTime({ records, logs })}: ${keeper}`;
}

/** When the first release with this shape came out. */
function releaseTime({ records, logs }: InstallationShape): string {
  const has = (column: string) => logs.columns.some(({ name }) => name === column);
  if (records.archives === 'console') {
    if (logs.raw_from !== 'logs') return 'from late July 2026 or later';
    return has('norm_log') ? 'from July 2026' : 'from late June 2026';
  }
  return logs.partition_key === 'toYYYYMM(timestamp)' ? 'from March to June 2026' : 'from June 2026';
}
