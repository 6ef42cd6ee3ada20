import type { JobEvent } from '../../contract/events.ts';
import type { Entry } from './entry.ts';

const MAX_EVENTS = 3_000;
const MAX_BYTES = 4 << 20;
const SHRINK_TO = 0.75;

/** Events of lower priority are dropped first; start and end of a job never. */
const PRIORITY: Record<JobEvent['event'], number> = {
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
 * The events of a job in bounded memory. Of consecutive progress events only the last is kept. On overflow, the oldest
 * events of the lowest priority are dropped.
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

  /** Events after a sequence number, in order. */
  entries(after = 0): Entry[] {
    return this.#kept.filter(({ seq }) => seq > after).map(({ seq, event }) => ({ seq, event }));
  }

  #overflows(share: number): boolean {
    return this.#kept.length > MAX_EVENTS * share || this.#bytes > MAX_BYTES * share;
  }

  /** Frees more than one entry, so that a burst of events does not cost a pass for each. */
  #shrink(): void {
    for (let priority = 0; priority < 4 && this.#overflows(SHRINK_TO); priority++) {
      let count = this.#kept.length;
      this.#kept = this.#kept.filter(({ event, bytes }) => {
        const drop =
          (count > MAX_EVENTS * SHRINK_TO || this.#bytes > MAX_BYTES * SHRINK_TO) &&
          priorityOf(event) <= priority;
        if (!drop) return true;
        count -= 1;
        this.#bytes -= bytes;
        return false;
      });
    }
  }
}

/** Failed items have a higher priority than successful ones. */
function priorityOf(event: JobEvent): number {
  return event.event === 'job:item' && !event.ok ? 2 : PRIORITY[event.event];
}
