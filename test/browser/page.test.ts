import { after, describe } from 'node:test';
import { startBrowser } from '../support/browser/browser.js';
import { SceneMachine } from '../support/browser/sceneMachine.js';
import { sceneOf } from '../support/browser/scenes.js';
import { checkAccess } from './access.js';
import { checkActions } from './actions.js';
import { checkLooks } from './looks.js';
import { checkPace } from './pace.js';
import { checkStates } from './states.js';

// One boot and one browser for all: the packages of this checkout in a Debian 13 with its own Cockpit.
const host = await SceneMachine.boot();
after(() => host.machine.stop());
const browser = await startBrowser(host.machine);
after(() => browser.close());
await host.play(sceneOf(13, Date.now()));

describe('the page in Cockpit', () => {
  checkAccess(host, browser);
  checkActions(host, browser);
  checkStates(host, browser);
  checkLooks(host, browser);
  checkPace(host, browser);
});
