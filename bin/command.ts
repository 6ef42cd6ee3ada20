import type { Command } from 'commander';
import type { ThemeChoice } from '../src/components/text/colors.ts';
import type { Printer } from './output/printer.ts';

/** Flags of every command. */
export interface GlobalFlags {
  dir: string;
  json: boolean;
  quiet: boolean;
  color: boolean;
  /** Draw the console in ASCII. */
  ascii: boolean;
  /** Theme of the console. */
  theme?: ThemeChoice;
  readOnly: boolean;
  nonInteractive: boolean;
  yes: boolean;
  /** Run the job in a process of its own. */
  detach: boolean;
}

/** What every command gets besides its own input. */
export interface Context {
  flags: GlobalFlags;
  printer: Printer;
}

/** A command that was called. */
export interface CommandCall {
  /** What its arguments and options say, without those of every command. */
  input: object;
  /** Runs it; returns the exit code. */
  run(context: Context): Promise<number>;
}

interface CommandTraits {
  /** Accepts `--detach`. */
  detachable?: true;
  /** Its only effect is its output: losing part of it is a failure. */
  only_output?: true;
}

/** A command: its options, and what it does with them. */
interface CommandSpec<Input extends object> extends CommandTraits {
  /** Declares arguments, options, help and subcommands; their action chooses the input. Throws `USAGE`. */
  declare(command: Command, choose: (input: Input) => void): void;
  /** Returns the exit code. */
  run(input: Input, context: Context): Promise<number>;
}

/** A command without the type of its input, so that a table can hold it. */
export interface ProgramCommand extends CommandTraits {
  declare(command: Command, choose: (call: CommandCall) => void): void;
}

/** Each file in `commands/` exports one as `command`. */
export function defineCommand<Input extends object>(spec: CommandSpec<Input>): ProgramCommand {
  const { declare, run, ...traits } = spec;
  return {
    ...traits,
    declare: (command, choose) =>
      declare(command, (input) => choose({ input, run: (context) => run(input, context) })),
  };
}
