import { rowUnderCursor } from '../view/lists/index.ts';
import { type SettingKey, settingOf } from '../view/settings.ts';
import { currentScreen } from '../view/snapshot.ts';
import type { DialogOption } from '../view/types.ts';
import { openDialog } from './dialogs.ts';
import { move } from './navigation.ts';
import type { Session } from './session.ts';

/** Opens the settings above the current screen. */
export function openSettings(session: Session) {
  if (currentScreen(session.snapshot()).name !== 'settings')
    session.dispatch({ type: 'open', screen: { name: 'settings' } });
}

/** Turns the setting under the cursor on or off, or asks for one of its choices. */
export function changeSetting(session: Session) {
  const key = rowUnderCursor(session.snapshot()) as SettingKey | undefined;
  const setting = key && settingOf(key);
  if (!setting) return;
  move(session, { rows: 0 });
  const { title, description, choices } = setting;
  const current = session.snapshot().settings[key];
  if (typeof current === 'boolean') {
    session.changeSetting(key, !current);
    return;
  }
  const options = choices.map(
    ([value, label], index): DialogOption => ({
      key: String(index + 1),
      label,
      safe: true,
      run: () => session.changeSetting(key, value),
    }),
  );
  openDialog(session, { title, tone: 'info', lines: [description], options });
  session.dispatch({ type: 'focus', by: choices.findIndex(([value]) => value === current) });
}
