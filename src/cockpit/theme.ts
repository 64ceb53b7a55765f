/** Sent after a change: what draws by itself is drawn again in other colours. */
export const THEME_EVENT = 'samepaged-theme';

const DARK_CLASS = 'pf-v6-theme-dark';
/** Where Cockpit's shell keeps the choice: auto, light or dark. */
const STYLE_KEY = 'shell:style';

/** Keeps the page as light or dark as Cockpit's shell, which is a frame around it. */
export function followTheme(): void {
  const prefersDark = matchMedia('(prefers-color-scheme: dark)');
  const apply = (style = localStorage.getItem(STYLE_KEY) ?? 'auto'): void => {
    const isDark = style === 'dark' || (style === 'auto' && prefersDark.matches);
    document.documentElement.classList.toggle(DARK_CLASS, isDark);
    dispatchEvent(new Event(THEME_EVENT));
  };
  addEventListener('storage', ({ key, newValue }) => {
    if (key === STYLE_KEY) apply(newValue ?? 'auto');
  });
  // Sent by the shell in the same window, where there is no storage event.
  addEventListener('cockpit-style', (event) => {
    const { detail } = event as CustomEvent<{ readonly style?: string } | null>;
    apply(detail?.style);
  });
  prefersDark.addEventListener('change', () => {
    apply();
  });
  apply();
}
