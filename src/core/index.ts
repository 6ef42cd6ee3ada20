/** The engine's only public entry point: what the console and the command line may import from it. */
export { asBifractError, BifractError, type ErrorReport } from './contract/errors.ts';
export type { JobEvent, JobEventMap, Progress } from './contract/events.ts';
export type {
  BackupFile,
  Engine,
  Health,
  JobHandle,
  JobOutcome,
  PartHealth,
} from './engine/contract.ts';
export { createEngine, createSharingEngine } from './engine/create-engine.ts';
export type { KnownJob } from './engine/job-queries.ts';
export { type JobKind, type JobRequest, jobFacts, type SummaryOf, summaryRows } from './engine/jobs.ts';
export { QUEUE_MOVES, type QueuedJob, type QueueMove } from './engine/queue.ts';
export { createUnavailableEngine } from './engine/unavailable.ts';
export {
  type Finding,
  type FindingCode,
  faultOf,
  judge,
  type Safety,
  type Verdict,
} from './engine/verdict.ts';
export type * from './features/archive/contract.ts';
export type * from './features/archive-restore/contract.ts';
export type * from './features/backup/contract.ts';
export type * from './features/copy/contract.ts';
export { copyRefusal } from './features/copy/copy.ts';
export type * from './features/coverage/contract.ts';
export type * from './features/delete/contract.ts';
export { refusalOf } from './features/delete/delete.ts';
export type * from './features/inspect/contract.ts';
export type * from './features/keys/contract.ts';
export type * from './features/orphans/contract.ts';
export type * from './features/restore/contract.ts';
export type * from './features/schedule/contract.ts';
export { dueOf } from './features/schedule/due.ts';
export type * from './features/search/contract.ts';
export { generateKey, keyId, parseKey } from './format/index.ts';
export {
  createJobStore,
  type JobLogLine,
  type JobState,
  type JobStore,
  type JobView,
  type ProgressPoint,
} from './job/store.ts';
export {
  byFileName,
  type CheckResult,
  type ChecksByName,
  lastArchiveCheck,
  lastCheckOf,
} from './policy/file-checks.ts';
export { parseArchiveName } from './policy/names.ts';
export type {
  ArchiveGroup,
  ArchiveRecord,
  ArchiveSchedule,
  ArchiveStatus,
  Fractal,
} from './ports/catalog.ts';
export type { DatabaseSession } from './ports/database-server.ts';
export type { JobOwner } from './ports/job-launcher.ts';
export type { InstallationInfo } from './ports/services.ts';
export type { FileCheck, Leftover } from './ports/state.ts';
export type { Timestamp } from './ports/types.ts';
