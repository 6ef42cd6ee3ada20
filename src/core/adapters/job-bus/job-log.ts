import type { JobEvent } from '../../contract/events.ts';
import type { JobLog, PublishOptions } from '../../ports/job-bus.ts';
import type { OpenFolder } from '../files/open-folder.ts';
import { ownIdentity } from '../state/process-identity.ts';
import { JobHistory } from './history.ts';
import { JournalWriter } from './journal.ts';
import { JobSocket } from './socket-server.ts';

/** Logs the events of a job of this process: keeps a history, writes the journal, and sends them to followers. */
export class FolderJobLog implements JobLog<JobEvent> {
  readonly #history: JobHistory;
  readonly #journal: JournalWriter;
  readonly #socket: JobSocket;

  private constructor(history: JobHistory, journal: JournalWriter, socket: JobSocket) {
    this.#history = history;
    this.#journal = journal;
    this.#socket = socket;
  }

  /** Creates the journal and the socket. `folders` opens the folders of both. */
  static async open(
    id: string,
    folders: { journal(): Promise<OpenFolder>; run(): Promise<OpenFolder> },
    { onCancel, onJournalError }: PublishOptions,
  ): Promise<FolderJobLog> {
    const history = new JobHistory();
    const socket = await JobSocket.listen(await folders.run(), id, history, onCancel);
    try {
      const head = { journal: 1, job: id, process: await ownIdentity(), socket: socket.path } as const;
      const journal = await JournalWriter.create(folders.journal, head, history, onJournalError);
      return new FolderJobLog(history, journal, socket);
    } catch (error) {
      await socket.close();
      throw error;
    }
  }

  add(event: JobEvent): void {
    const entry = this.#history.add(event);
    this.#journal.add(entry);
    this.#socket.send(entry);
  }

  async close(): Promise<void> {
    await this.#journal.close();
    await this.#socket.close();
  }
}
