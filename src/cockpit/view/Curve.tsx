import { useEffect, useRef } from 'react';
import { THEME_EVENT } from '../theme.js';
import { type PlotOptions, plot } from './plot.js';

/** A curve as a picture for the eye. Its `summary` is for a screen reader; the events are listed in words below. */
export function Curve({ summary, ...options }: PlotOptions & { readonly summary: string }) {
  const element = useRef<HTMLDivElement>(null);
  const { spec, times, fromMillis, toMillis, happenings, onHover } = options;
  useEffect(() => {
    const { current } = element;
    if (current === null) return undefined;
    let drawn = plot(current, { spec, times, fromMillis, toMillis, happenings, onHover });
    const redraw = () => {
      drawn.destroy();
      drawn = plot(current, { spec, times, fromMillis, toMillis, happenings, onHover });
    };
    const resized = new ResizeObserver(() => {
      if (drawn.width !== current.clientWidth) drawn.setSize({ width: current.clientWidth, height: drawn.height });
    });
    resized.observe(current);
    addEventListener(THEME_EVENT, redraw);
    return () => {
      removeEventListener(THEME_EVENT, redraw);
      resized.disconnect();
      drawn.destroy();
    };
  }, [spec, times, fromMillis, toMillis, happenings, onHover]);
  return (
    <figure className="curve">
      <figcaption>{spec.label}</figcaption>
      <div ref={element} dir="ltr" role="img" aria-label={summary} />
    </figure>
  );
}
