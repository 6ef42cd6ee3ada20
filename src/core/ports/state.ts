import type { JobKind } from '../events.ts';
import type { ArchiveRestoreJournal } from './archive-restore-journal.ts';
import type { Place } from './storage.ts';
import type { CallOptions, Timestamp } from './types.ts';

/** What was asked of an archive: two that are alike are the same. */
export interface ArchiveRequest {
  fractal_id: string;
  split: 'none' | 'hour' | 'day' | 'week';
  from: Timestamp | null;
  to: Timestamp | null;
  fields: boolean;
  archive_type: 'adhoc' | 'scheduled';
  only_uncovered: boolean;
}

/** An archive under way: enough to go on with it where its job dies. */
export interface ArchiveNote {
  request: ArchiveRequest;
  /** Time of the newest row when it was begun: it reaches no further. */
  end: Timestamp;
  begun_at: Timestamp;
  group_id?: string;
  /** The file that is being written, and how many rows it was to have. */
  window: { label: string | null; from: Timestamp | null; to: Timestamp; rows: number };
  /** Handles of unfinished objects of jobs that died, whose rows this one takes over. */
  leftovers: string[];
}

/** A job as the state folder keeps it while it runs: enough to clean up after it. */
export interface JobNote {
  id: string;
  kind: JobKind;
  started_at: Timestamp;
  /** The archive record it writes, once there is one. */
  archive_id?: string;
  /** The object in storage it writes. */
  object?: string;
  archive?: ArchiveNote;
  /** Databases that it makes, or sets aside, and that are to go should it die. */
  databases?: string[];
  /** Objects that it puts others in the place of, under a new key, and which storage they are in. */
  rekey?: { place: 'backups' | 'archives'; name: string }[];
  /** Archives whose record and file it is deleting, and has not ended with. */
  deleting?: { archive_id: string }[];
  /** The file that it is copying to another storage just now, and the record that is to say so. */
  copying?: { place: Place; name: string; to: 'disk' | 's3'; archive_id: string | null };
  /** How far it is with bringing archived rows back. */
  restoring?: ArchiveRestoreJournal;
  /** It has stopped the container of the server, which is to be started again. */
  app_stopped?: boolean;
}

/** What jobs leave on disk so that any later process can tell live work from dead. */
export interface State {
  /** Keeps the note of a job of this process, anew or over the earlier one. */
  note(note: JobNote): Promise<void>;
  /** Keeps the note of a job that has ended, as one of the dead: for what can go on later. */
  leave(note: JobNote): Promise<void>;
  /** Forgets a job. */
  forget(id: string): Promise<void>;
  /** Removes what processes that died had half written, or half forgotten. */
  tidy(): Promise<void>;
  /** Jobs whose process is alive, this one's too. */
  live(): Promise<JobNote[]>;
  /** Jobs whose process ended without forgetting them. */
  dead(): Promise<JobNote[]>;
  /**
   * Does work while no other process does any: what dead jobs left must not be put right twice at once. Waits for a
   * live one that is at it.
   */
  alone<T>(work: () => Promise<T>, options?: CallOptions): Promise<T>;
}
