/** A declaration of a custom property, up to what ends it. A value may have brackets and texts with a semicolon in them. */
const DECLARATION =
  /(?<=[{;])(--[\w-]+):((?:"[^"]*"|'[^']*'|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)|[^;{}"'()])*)(;|(?=\}))/g;

/**
 * A style sheet without the custom properties that nothing uses. PatternFly declares some thousand, of which a page with few
 * components uses a part.
 *
 * @param {string} css minified
 * @param {string} script what may name properties too
 */
export function withoutUnused(css, script) {
  for (;;) {
    const used = new Set(`${css}${script}`.match(/--[\w-]+(?=\s*[,)])/g));
    const named = new Set(script.match(/--[\w-]+/g));
    const less = css.replace(DECLARATION, (all, name) => (used.has(name) || named.has(name) ? all : ''));
    if (less.length === css.length) return css;
    css = less;
  }
}
