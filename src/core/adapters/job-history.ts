import type { JobEvent } from '../ports/job-board.ts';

const MOST_EVENTS = 3_000;
const MOST_BYTES = 4 << 20;
const ROOM = 0.75;

/** An event and its place among those of its job. */
export interface Entry {
  seq: number;
  event: JobEvent;
}

/** How much is lost with an event: what is least worth goes first. A job's start and end never go. */
const WORTH: Record<JobEvent['event'], number> = {
  'job:progress': 0,
  'job:retry': 1,
  'job:item': 1,
  'job:warning': 2,
  'job:phase': 3,
  'job:started': 4,
  'job:done': 4,
  'job:failed': 4,
  'job:cancelled': 4,
};

/**
 * What a job has said, in bounded memory however long it talks. Of progress only the last of each stretch is kept; of
 * too much else, what is least worth and oldest goes.
 */
export class JobHistory {
  #kept: (Entry & { bytes: number })[] = [];
  #bytes = 0;
  #seq = 0;

  add(event: JobEvent): Entry {
    const entry = { seq: ++this.#seq, event, bytes: JSON.stringify(event).length };
    const last = this.#kept.at(-1);
    if (event.event === 'job:progress' && last?.event.event === 'job:progress') {
      this.#kept.pop();
      this.#bytes -= last.bytes;
    }
    this.#kept.push(entry);
    this.#bytes += entry.bytes;
    if (this.#overflows(1)) this.#shrink();
    return { seq: entry.seq, event };
  }

  /** Those after one that is known already, in their order. */
  entries(after = 0): Entry[] {
    return this.#kept.filter(({ seq }) => seq > after).map(({ seq, event }) => ({ seq, event }));
  }

  #overflows(share: number): boolean {
    return this.#kept.length > MOST_EVENTS * share || this.#bytes > MOST_BYTES * share;
  }

  /** Makes more room than for one, so that a flood does not cost a pass for each event. */
  #shrink(): void {
    for (let worth = 0; worth < 4 && this.#overflows(ROOM); worth++) {
      let count = this.#kept.length;
      this.#kept = this.#kept.filter(({ event, bytes }) => {
        const goes =
          (count > MOST_EVENTS * ROOM || this.#bytes > MOST_BYTES * ROOM) && worthOf(event) <= worth;
        if (!goes) return true;
        count -= 1;
        this.#bytes -= bytes;
        return false;
      });
    }
  }
}

/** What failed is worth more than what went well. */
function worthOf(event: JobEvent): number {
  return event.event === 'job:item' && !event.ok ? 2 : WORTH[event.event];
}

/** Whether an event is a job's last. */
export function isEnd({ event }: JobEvent): boolean {
  return event === 'job:done' || event === 'job:failed' || event === 'job:cancelled';
}
