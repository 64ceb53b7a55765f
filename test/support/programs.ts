/** The daemon and the command as they are installed, and the demo: the bundle that `npm run build` makes. It starts in half the time of the modules. */
export const DAEMON = 'dist/bundle/samepaged.js';
export const CTL = 'dist/bundle/samepagectl.js';
export const DEMO = 'dist/bundle/demo.js';
