/** A value of a setting, and its name on the settings screen. */
type Choice = readonly [value: string | number | boolean, label: string];

interface SettingDefinition {
  key: string;
  title: string;
  /** What the setting does, in one sentence. */
  description: string;
  /** The first one is the default. */
  choices: readonly [Choice, ...Choice[]];
}

const ON_OFF = [
  [true, 'on'],
  [false, 'off'],
] as const;
const OFF_ON = [
  [false, 'off'],
  [true, 'on'],
] as const;
const DETECTED = [
  ['auto', 'if the terminal supports it'],
  ['on', 'always'],
  ['off', 'off'],
] as const;

/** All settings of the console, in the order of the screen. */
export const SETTINGS = [
  {
    key: 'theme',
    title: 'Colors',
    description: 'Colors for a dark or a light background; automatic asks the terminal for its background.',
    choices: [
      ['auto', 'automatic'],
      ['dark', 'dark background'],
      ['light', 'light background'],
      ['16', "the terminal's 16 colors"],
      ['none', 'none'],
    ],
  },
  {
    key: 'time_zone',
    title: 'Times',
    description: 'Zone of the times on the screen. Periods, log lines and file names are always in UTC.',
    choices: [
      ['utc', 'UTC'],
      ['local', 'local time'],
    ],
  },
  {
    key: 'units',
    title: 'Sizes',
    description: 'Powers of 1024 (1 MiB = 1,048,576 bytes) or of 1000 (1 MB = 1,000,000 bytes).',
    choices: [
      ['iec', 'KiB, MiB, GiB'],
      ['si', 'kB, MB, GB'],
    ],
  },
  {
    key: 'preview',
    title: 'Preview',
    description: 'Details of the row under the cursor, next to a list on 120 columns or more.',
    choices: ON_OFF,
  },
  {
    key: 'wrap',
    title: 'Wrap log lines',
    description: 'Whether long log lines are wrapped while you browse an archive, or cut and scrolled.',
    choices: OFF_ON,
  },
  {
    key: 'refresh_s',
    title: 'Reload lists',
    description: 'How often lists and health are loaded again. Jobs are always live.',
    choices: [
      [15, 'every 15 seconds'],
      [5, 'every 5 seconds'],
      [60, 'every minute'],
      [300, 'every 5 minutes'],
      [0, 'only after jobs and with r'],
    ],
  },
  {
    key: 'mouse',
    title: 'Mouse',
    description: 'Wheel and clicks. While it is on, hold Shift to select text with the mouse.',
    choices: ON_OFF,
  },
  {
    key: 'title',
    title: 'Terminal title',
    description: 'Shows the installation and the progress of its running jobs.',
    choices: ON_OFF,
  },
  {
    key: 'progress',
    title: 'Progress in the tab',
    description: 'Progress of running jobs in the tab or taskbar of the terminal.',
    choices: DETECTED,
  },
  {
    key: 'bell',
    title: 'Bell',
    description: 'Rings when a job that ran for more than 30 seconds ends.',
    choices: ON_OFF,
  },
  {
    key: 'desktop',
    title: 'Desktop notification',
    description: 'Sent by the terminal when a job that ran for more than 30 seconds ends.',
    choices: DETECTED,
  },
] as const satisfies readonly SettingDefinition[];

type Definition = (typeof SETTINGS)[number];
export type SettingKey = Definition['key'];

/** What the user has chosen; saved between runs. */
export type Settings = {
  readonly [One in Definition as One['key']]: One['choices'][number][0];
};

export const DEFAULT_SETTINGS = Object.fromEntries(
  SETTINGS.map(({ key, choices }) => [key, choices[0][0]]),
) as unknown as Settings;

/** The definition of a setting. */
export function settingOf(key: string): SettingDefinition | undefined {
  return SETTINGS.find((one) => one.key === key);
}

/** The settings with one changed; the same settings if the value is none of its choices. */
export function withSetting(settings: Settings, key: string, value: unknown): Settings {
  const known = settingOf(key)?.choices.some(([choice]) => choice === value);
  return known ? { ...settings, [key]: value } : settings;
}
