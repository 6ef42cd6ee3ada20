import type { Command } from 'commander';
import type { NotifyOptions } from './notify.ts';

/** Flags that choose the notifications of an outcome. */
export interface NotifyFlags {
  metrics?: string;
  onSuccess?: string;
  onFailure?: string;
}

export function notifyFlags(command: Command, noun: string): Command {
  return command
    .option('--metrics <file>', 'Write metrics for the Prometheus node exporter')
    .option('--on-success <command>', `Run a shell command after a successful ${noun}`)
    .option('--on-failure <command>', `Run a shell command after a failed ${noun}`);
}

export function notifyOptions({ metrics, onSuccess, onFailure }: NotifyFlags): NotifyOptions {
  return { metrics, on_success: onSuccess, on_failure: onFailure };
}
