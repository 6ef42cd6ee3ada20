import type { Command } from 'commander';
import type { Listeners } from './tell.ts';

/** The flags that say whom an outcome is told to. */
export interface ListenerFlags {
  metrics?: string;
  onSuccess?: string;
  onFailure?: string;
}

/** Adds these flags. */
export function listenerFlags(command: Command, noun: string): Command {
  return command
    .option('--metrics <file>', 'write figures for the node exporter of Prometheus')
    .option('--on-success <cmd>', `run CMD after a good ${noun}`)
    .option('--on-failure <cmd>', 'run CMD after a failed one');
}

export function listenersOf({ metrics, onSuccess, onFailure }: ListenerFlags): Listeners {
  return { metrics, on_success: onSuccess, on_failure: onFailure };
}
