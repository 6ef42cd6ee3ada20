import type { JobType } from '../../job/job-type.ts';
import type { Services } from '../../ports/services.ts';
import type { CallOptions } from '../../ports/types.ts';
import { countOf, type Row } from '../../text/rows.ts';
import { formatDuration } from '../../text/time.ts';
import { formatBytes, plural } from '../../text/units.ts';
import { findTarget } from '../files/find-target.ts';
import { locate } from '../files/locate.ts';
import type { ExtractPart, FileReport, VerifyRequest, VerifySummary } from './contract.ts';
import { extract } from './extract.ts';
import { show } from './show.ts';
import { verify } from './verify.ts';
import { everything, named } from './verify-targets.ts';

export const verifyJob: JobType<VerifyRequest, VerifySummary> = {
  title: ({ targets }) => `Verification of ${targets === 'all' ? 'all files' : countOf(targets, 'file')}`,
  destroys: () => undefined,
  readsOnly: true,
  run: async (services, { targets, quick = false }, context) => {
    const { signal } = context;
    const refs = (warn: (message: string) => void) =>
      targets === 'all' ? everything(services, warn, { signal }) : named(services, targets, { signal });
    return verify({ targets: refs, keys: await services.keys() }, { quick }, context);
  },
  summary: verifyRows,
  cancelEffect: 'Verifying changes nothing. Results so far are kept.',
};

/** See `InspectQueries`. */
export async function showFile(
  services: Services,
  target: string,
  options?: CallOptions,
): Promise<FileReport> {
  const keys = await services.keys();
  return show(await findTarget(services, target, options), keys, options);
}

/** See `InspectQueries`. */
export async function* extractFile(
  services: Services,
  file: string,
  part: ExtractPart,
  options?: CallOptions,
): AsyncIterable<Buffer> {
  const keys = await services.keys();
  yield* extract({ ...(await locate(services, file, options)), keys }, part, options);
}

function verifyRows(summary: VerifySummary): Row[] {
  const { files, proven, rows, size_bytes, quick, duration_ms } = summary;
  if (files === 0) return [{ label: 'Verified', value: 'nothing: no backup and no completed archive' }];
  const complete = proven === files ? 'complete' : `complete: ${proven} of ${files}`;
  const result = quick
    ? 'header and trailer are intact'
    : proven === 0
      ? 'intact; completeness unknown'
      : complete;
  return [
    { label: 'Verified', value: `${plural(files, 'file')}: ${result}`, tone: 'good' },
    { label: 'Contents', value: `${formatBytes(size_bytes)}, ${plural(rows, 'row')}` },
    { label: 'Duration', value: formatDuration(duration_ms) },
  ];
}
