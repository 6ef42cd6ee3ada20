/** The entry point of the engine: all that the console may import from core. */

export { asBifractError, BifractError, type ErrorReport, ROLLED_BACK as UNDONE } from './contract/errors.ts';
export type { JobEvent, JobEventMap, JobKind, JobOwner, Progress } from './contract/events.ts';
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
} from './contract/files.ts';
export type {
  KeepRule,
  PruneItem,
  PrunePlan,
  RotateItem,
  RotatePlan,
  UpkeepJobRequest,
} from './contract/upkeep.ts';
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
} from './engine/contract.ts';
export type { JobQueries, KnownJob } from './engine/known-jobs.ts';
export type {
  ArchiveRestoreFile,
  ArchiveRestoreJobRequest,
  ArchiveRestorePlan,
  ArchiveRestoreQueries,
  ArchiveRestoreQuery,
  ArchiveRestoreSummary,
  RestoreMethod as RestoreVia,
} from './features/archive-restore/contract.ts';
export type { CopyItem, CopyJobRequest, CopyPlan, CopyQueries } from './features/copy/contract.ts';
export type {
  Coverage,
  CoveragePeriod,
  CoverageQueries,
  CoverageState,
} from './features/coverage/contract.ts';
export type {
  DeleteItem,
  DeleteJobRequest,
  DeletePlan,
  DeleteQuery,
  DeleteTarget,
  DeletionQueries,
} from './features/delete/contract.ts';
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
} from './features/restore/contract.ts';
export type {
  DueItem,
  DueQuery,
  ExcessItem as SurplusItem,
  RunDueJobRequest,
  RunDueSummary,
  ScheduleMode,
} from './features/schedule/contract.ts';
export {
  createJobStore,
  type JobItem,
  type JobState,
  type JobStore,
  type JobStoreOptions,
  type JobView,
} from './job/store.ts';
export type { ArchiveGroup, ArchiveRecord, ArchiveStatus, Fractal } from './ports/catalog.ts';
export type { StorageHealth } from './ports/storage.ts';
export type { Timestamp } from './ports/types.ts';
