import { Box } from 'ink';
import { sanitize } from '../../core/text/sanitize.ts';
import { justify, type Line as LineOfSpans, lineWidth, type Span } from '../text/line.ts';
import { truncate } from '../text/text.ts';
import { keyIdOf } from '../view/snapshot.ts';
import { tabsOf, widthOf } from '../view/tabs.ts';
import type { Screen, Snapshot } from '../view/types.ts';
import { Line } from './line.tsx';

const WIDE = 110;

function component(name: string, ok: boolean | undefined, { symbols }: Snapshot): LineOfSpans {
  if (ok === undefined) return [{ text: `  ${name} ${symbols.dot}`, tone: 'dim' }];
  return [
    { text: `  ${name} `, tone: ok ? 'dim' : 'bad', bold: !ok },
    { text: ok ? symbols.ok : symbols.bad, tone: ok ? 'good' : 'bad' },
  ];
}

function health(snapshot: Snapshot): LineOfSpans {
  const { value, error } = snapshot.data.health;
  const wide = snapshot.columns >= WIDE;
  const state = (ok: boolean | undefined) => (error && !value ? false : ok);
  return [
    ...component(wide ? 'PostgreSQL' : 'PG', state(value?.postgres.ok), snapshot),
    ...component(wide ? 'ClickHouse' : 'CH', state(value?.clickhouse.ok), snapshot),
    ...component('Storage', state(value?.backups.ok && value.archives.ok), snapshot),
    { text: snapshot.read_only ? `  read-only ${snapshot.symbols.padlock}` : '', tone: 'warn' },
    { text: ' ' },
  ];
}

/** Minimum room for the storage, which is left out rather than reduced to nothing. */
const MIN_STORAGE = 8;

/** The installation in `room` columns: the paths are cut, the key is not. */
function installation(snapshot: Snapshot, room: number): LineOfSpans {
  const { installation, symbols } = snapshot;
  const key_id = keyIdOf(snapshot);
  const separator: Span = { text: ` ${symbols.dot} `, tone: 'dim' };
  const title: Span = { text: ' bifract  ', tone: 'title' };
  const key: LineOfSpans = [
    separator,
    key_id ? { text: `key ${key_id}`, tone: 'dim' } : { text: 'no key', tone: 'bad' },
  ];
  const forDirectory = Math.max(1, room - lineWidth([title, ...key]));
  const directory = { text: truncate(sanitize(installation.dir), forDirectory, symbols.ellipsis) };
  const head = [title, directory, ...key];
  if (room - lineWidth(head) < MIN_STORAGE) return head;
  return [...head, separator, { text: installation.storage, tone: 'dim' }];
}

export interface HeaderProps {
  snapshot: Snapshot;
  /** The top-level screen, whose tab is highlighted. */
  root: Screen;
}

/** The installation, its health, and the tabs. */
export function Header({ snapshot, root }: HeaderProps) {
  const { columns, symbols } = snapshot;
  const state = health(snapshot);
  const tabs = tabsOf(snapshot, root);
  const used = widthOf(tabs);
  return (
    <Box flexDirection="column">
      <Line
        spans={justify(installation(snapshot, columns - lineWidth(state)), state, columns, symbols.ellipsis)}
        columns={columns}
        symbols={symbols}
      />
      <Box>
        <Line spans={[]} columns={1} symbols={symbols} />
        {tabs.map((tab) => (
          <Line
            key={tab.name}
            spans={[{ text: tab.text, tone: 'dim' }]}
            columns={lineWidth([tab])}
            symbols={symbols}
            highlighted={tab.name === root.name}
          />
        ))}
        <Line spans={[]} columns={Math.max(0, columns - used)} symbols={symbols} />
      </Box>
    </Box>
  );
}
