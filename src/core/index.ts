/** The entry point of the engine: all that the console may import from core. */
export type {
  ArchiveRestoreFile,
  ArchiveRestoreJobRequest,
  ArchiveRestorePlan,
  ArchiveRestoreQueries,
  ArchiveRestoreQuery,
  ArchiveRestoreSummary,
  RestoreMethod as RestoreVia,
} from './archive-restore.ts';
export type { CopyItem, CopyJobRequest, CopyPlan, CopyQueries } from './copying.ts';
export type { Coverage, CoveragePeriod, CoverageQueries, CoverageState } from './coverage.ts';
export type {
  DeleteItem,
  DeleteJobRequest,
  DeletePlan,
  DeleteQuery,
  DeleteTarget,
  DeletionQueries,
} from './deletion.ts';
export type {
  BackupFile,
  Engine,
  Health,
  InstallationInfo,
  JobHandle,
  JobOutcome,
  JobRequest,
  PartHealth,
  StartOptions,
} from './engine.ts';
export { asBifractError, BifractError, type ErrorReport, ROLLED_BACK as UNDONE } from './errors.ts';
export type { JobEvent, JobEventMap, JobKind, JobOwner, Progress } from './events.ts';
export type {
  AdoptItem,
  AdoptPlan,
  ArchiveBrowser,
  BrowsedRow,
  FileJobRequest,
  FileQueries,
  FileReport,
  Orphan,
  SearchHit,
  SearchPattern,
  SearchQuery,
  VerifyItem,
} from './files.ts';
export {
  createJobStore,
  type JobItem,
  type JobState,
  type JobStore,
  type JobStoreOptions,
  type JobView,
} from './job-store.ts';
export type { JobQueries, KnownJob } from './known-jobs.ts';
export type { ArchiveGroup, ArchiveRecord, ArchiveStatus, Fractal } from './ports/catalog.ts';
export type { StorageHealth } from './ports/storage.ts';
export type { Timestamp } from './ports/types.ts';
export type {
  RestoreBackup,
  RestoreConsent,
  RestoreFile,
  RestoreJobRequest,
  RestoreObstacle,
  RestorePlan,
  RestoreQuery,
  RestoreSession,
  RestoreSummary,
  RestoreTable,
  RestoreTarget,
} from './restore.ts';
export type {
  DueItem,
  DueQuery,
  ExcessItem as SurplusItem,
  RunDueJobRequest,
  RunDueSummary,
  ScheduleMode,
} from './schedule.ts';
export type {
  KeepRule,
  PruneItem,
  PrunePlan,
  RotateItem,
  RotatePlan,
  UpkeepJobRequest,
} from './upkeep.ts';
