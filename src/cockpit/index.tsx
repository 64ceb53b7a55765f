import '@patternfly/patternfly/patternfly-base.css';
import 'uplot/dist/uPlot.min.css';
import './style.css';
import { createRoot } from 'react-dom/client';
import { Daemon } from './daemon.js';
import { cockpit } from './host.js';
import { LOCALE, _ } from './text.js';
import { followTheme } from './theme.js';
import { App } from './view/App.js';

document.documentElement.lang = LOCALE;
document.documentElement.dir = cockpit.language_direction;
document.title = _('Memory merging');

followTheme();

const element = document.getElementById('app');
if (element !== null) createRoot(element).render(<App daemon={new Daemon()} />);
