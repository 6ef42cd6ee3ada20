import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { rowUnderCursor } from '../view/lists/index.ts';
import { currentScreen } from '../view/snapshot.ts';
import { openPrompt } from './dialogs.ts';
import { quit } from './job-actions.ts';
import type { Session } from './session.ts';

/** Opens the list of installations above the current screen. */
export function openContexts(session: Session) {
  if (currentScreen(session.snapshot()).name !== 'contexts')
    session.dispatch({ type: 'open', screen: { name: 'contexts' } });
}

/** Opens the page that says what is missing, above the current screen. */
export function openSetup(session: Session) {
  if (currentScreen(session.snapshot()).name !== 'setup')
    session.dispatch({ type: 'open', screen: { name: 'setup' } });
}

/** Switches to the installation under the cursor. */
export function switchToSelected(session: Session) {
  const dir = rowUnderCursor(session.snapshot());
  if (dir !== undefined) switchContext(session, dir);
}

/** Closes this installation and opens another one; asks first if jobs would be cancelled. */
export function switchContext(session: Session, dir: string) {
  const { installation, contexts } = session.snapshot();
  if (dir === installation.dir) return session.notify('info', `${dir} is already open`);
  if (contexts.fixed) return session.notify('warn', `Cannot switch: ${contexts.fixed}`);
  quit(session, dir);
}

/** Asks for the directory of an installation, and switches to it. */
export function promptForContext(session: Session) {
  openPrompt(session, {
    prefix: 'Directory:',
    hint: 'of a Bifract installation',
    text: '',
    submit(text) {
      const path = text.trim();
      if (path === '') return 'Type a path';
      switchContext(session, path.startsWith('~/') ? join(homedir(), path.slice(2)) : resolve(path));
      return undefined;
    },
  });
}

/** Forgets the installation under the cursor; nothing else happens to it. */
export function forgetSelected(session: Session) {
  const dir = rowUnderCursor(session.snapshot());
  if (dir !== undefined) session.forgetContext(dir);
}
