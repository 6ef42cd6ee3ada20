import { Box } from 'ink';
import { spinnerAt } from '../view/glyphs.ts';
import { keyIdOf } from '../view/key-id.ts';
import { lineWidth, spread } from '../view/text.ts';
import type { Line as LineOfSpans, Place, PlaceName, Snapshot, Span } from '../view/types.ts';
import { Line } from './line.tsx';

const WIDE = 110;

const TABS: readonly (readonly [PlaceName, string])[] = [
  ['overview', 'Overview'],
  ['fractals', 'Fractals'],
  ['archives', 'Archives'],
  ['backups', 'Backups'],
  ['jobs', 'Jobs'],
  ['log', 'Log'],
  ['orphans', 'Orphans'],
];

function part(name: string, ok: boolean | undefined, { glyphs }: Snapshot): LineOfSpans {
  if (ok === undefined) return [{ text: `  ${name} ${glyphs.dot}`, tone: 'dim' }];
  return [
    { text: `  ${name} `, tone: ok ? 'dim' : 'bad', bold: !ok },
    { text: ok ? glyphs.ok : glyphs.bad, tone: ok ? 'good' : 'bad' },
  ];
}

function health(snapshot: Snapshot): LineOfSpans {
  const { value, error } = snapshot.data.health;
  const wide = snapshot.columns >= WIDE;
  const state = (ok: boolean | undefined) => (error && !value ? false : ok);
  return [
    ...part(wide ? 'PostgreSQL' : 'PG', state(value?.postgres.ok), snapshot),
    ...part(wide ? 'ClickHouse' : 'CH', state(value?.clickhouse.ok), snapshot),
    ...part('Storage', state(value?.backups.ok && value.archives.ok), snapshot),
    { text: snapshot.read_only ? `  read-only ${snapshot.glyphs.padlock}` : '', tone: 'warn' },
    { text: ' ' },
  ];
}

function installation(snapshot: Snapshot): LineOfSpans {
  const {
    installation: { dir, storage },
    glyphs,
  } = snapshot;
  const key_id = keyIdOf(snapshot);
  const between: Span = { text: ` ${glyphs.dot} `, tone: 'dim' };
  return [
    { text: ' bifract', tone: 'title' },
    { text: `  ${dir}` },
    between,
    key_id ? { text: `key ${key_id}`, tone: 'dim' } : { text: 'no key', tone: 'bad' },
    between,
    { text: storage, tone: 'dim' },
  ];
}

function badge(name: PlaceName, { jobs, queue, glyphs, now }: Snapshot): string {
  const running = jobs.filter((job) => job.ended_at === undefined).length + queue.length;
  return name === 'jobs' && running > 0 ? ` ${spinnerAt(glyphs, now)} ${running}` : '';
}

/** The screens by name, or, where they do not fit, by number and only the one shown by name. */
function tabsOf(snapshot: Snapshot, root: Place) {
  const named = TABS.map(([name, title], index) => ({
    name,
    text: ` ${index + 1} ${title}${badge(name, snapshot)} `,
  }));
  if (widthOf(named) <= snapshot.columns) return named;
  return named.map((tab, index) =>
    tab.name === root.name ? tab : { ...tab, text: ` ${index + 1}${badge(tab.name, snapshot)} ` },
  );
}

function widthOf(tabs: readonly { text: string }[]): number {
  return tabs.reduce((sum, tab) => sum + lineWidth([tab]), 1);
}

export interface HeaderProps {
  snapshot: Snapshot;
  /** The screen that the place shown belongs to. */
  root: Place;
}

/** Which installation this is and how it is, and the screens. */
export function Header({ snapshot, root }: HeaderProps) {
  const { columns, glyphs } = snapshot;
  const state = health(snapshot);
  const tabs = tabsOf(snapshot, root);
  const used = widthOf(tabs);
  return (
    <Box flexDirection="column">
      <Line
        spans={spread(installation(snapshot), state, columns, glyphs.more)}
        columns={columns}
        glyphs={glyphs}
      />
      <Box>
        <Line spans={[]} columns={1} glyphs={glyphs} />
        {tabs.map((tab) => (
          <Line
            key={tab.name}
            spans={[{ text: tab.text, tone: 'dim' }]}
            columns={lineWidth([tab])}
            glyphs={glyphs}
            chosen={tab.name === root.name}
          />
        ))}
        <Line spans={[]} columns={Math.max(0, columns - used)} glyphs={glyphs} />
      </Box>
    </Box>
  );
}
