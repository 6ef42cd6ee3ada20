import type { JobKind } from '../events.ts';
import type { Place } from './storage.ts';
import type { Timestamp } from './types.ts';

/** A job as the state folder keeps it while it runs: enough to clean up after it. */
export interface JobNote {
  id: string;
  kind: JobKind;
  started_at: Timestamp;
  /** The archive record it writes, once there is one. */
  archive_id?: string;
  /** The object in storage it writes. */
  object?: string;
  /** Databases that it makes, or sets aside, and that are to go should it die. */
  databases?: string[];
  /** Objects that it puts others in the place of, under a new key, and which storage they are in. */
  rekey?: { place: 'backups' | 'archives'; name: string }[];
  /** Archives whose record and file it is deleting, and has not ended with. */
  deleting?: { archive_id: string }[];
  /** The file that it is copying to another storage just now, and the record that is to say so. */
  copying?: { place: Place; name: string; to: 'disk' | 's3'; archive_id: string | null };
  /** It has stopped the container of the server, which is to be started again. */
  app_stopped?: boolean;
}

/** What jobs leave on disk so that any later process can tell live work from dead. */
export interface State {
  /** Keeps the note of a job of this process, anew or over the earlier one. */
  note(note: JobNote): Promise<void>;
  /** Forgets a job. */
  forget(id: string): Promise<void>;
  /** Jobs whose process is alive, this one's too. */
  live(): Promise<JobNote[]>;
  /** Jobs whose process ended without forgetting them. */
  dead(): Promise<JobNote[]>;
}
