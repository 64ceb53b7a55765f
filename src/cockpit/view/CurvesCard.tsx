import { Card, CardBody, CardHeader, CardTitle } from '@patternfly/react-core/dist/esm/components/Card/index.js';
import { ExpandableSection } from '@patternfly/react-core/dist/esm/components/ExpandableSection/index.js';
import { Spinner } from '@patternfly/react-core/dist/esm/components/Spinner/index.js';
import { ToggleGroup, ToggleGroupItem } from '@patternfly/react-core/dist/esm/components/ToggleGroup/index.js';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { type Happening, describeHappening } from '../../core/history/happenings.js';
import { type Daemon, wordsOf } from '../daemon.js';
import { moment, percent, size } from '../model/format.js';
import { type Curves, type Span, curvesOf, happeningsNear } from '../model/history.js';
import { Recorded } from '../recorded.js';
import { _, filled } from '../text.js';
import { Curve } from './Curve.js';
import { useRetuned } from './hooks.js';
import type { PlotSpec } from './plot.js';

/** Between questions for what is new; a sample is recorded every ten seconds. */
const REFRESH_MILLIS = 10_000;
/** What is so near to the pointer is read out, in pixels. */
const NEAR_PIXELS = 8;
const MOST_EVENTS = 50;

interface CurvesProps {
  readonly daemon: Daemon;
  readonly isLost: boolean;
}

/** What merging saved and cost over time, with what happened. */
export function CurvesCard({ daemon, isLost }: CurvesProps) {
  const [span, setSpan] = useState<Span>('hour');
  const recorded = useMemo(() => new Recorded(daemon), [daemon]);
  const [curves, setCurves] = useState<Shown>();
  const [error, setError] = useState<unknown>();
  const load = useCallback(() => {
    recorded.since(span).then(
      ({ records, fromMillis, toMillis }) => {
        setCurves({ curves: curvesOf(records, fromMillis, toMillis), fromMillis, toMillis });
        setError(undefined);
      },
      (reason: unknown) => {
        setError(reason);
      },
    );
  }, [recorded, span]);
  useEffect(() => {
    if (!isLost) load();
  }, [load, isLost]);
  useRetuned(daemon, REFRESH_MILLIS, load);
  const names: Readonly<Record<Span, string>> = {
    ...{ hour: _('1 hour'), day: _('1 day'), week: _('1 week'), month: _('1 month') },
  };
  return (
    <Card component="section" aria-labelledby="curves-title">
      <CardHeader
        actions={{
          actions: (
            <ToggleGroup aria-label={_('Time span')} isCompact>
              {(Object.keys(names) as Span[]).map((each) => (
                <ToggleGroupItem
                  key={each}
                  text={names[each]}
                  isSelected={span === each}
                  onChange={() => {
                    setSpan(each);
                  }}
                />
              ))}
            </ToggleGroup>
          ),
        }}
      >
        <CardTitle component="h2" id="curves-title">
          {_('Over time')}
        </CardTitle>
      </CardHeader>
      <CardBody>
        {error !== undefined && (
          <p>
            {_('The history cannot be read:')} <bdi lang="en">{wordsOf(error)}</bdi>
          </p>
        )}
        {curves === undefined && error === undefined && <Spinner size="lg" aria-label={_('Reading the history')} />}
        {curves !== undefined && <CurvesBody {...curves} />}
      </CardBody>
    </Card>
  );
}

interface Shown {
  readonly curves: Curves;
  readonly fromMillis: number;
  readonly toMillis: number;
}

interface Hovered {
  readonly atMillis: number;
  readonly pixelMillis: number;
}

function CurvesBody({ curves, fromMillis, toMillis }: Shown) {
  const { times, savedBytes, freeBytes, ksmdPercent, happenings } = curves;
  const [hovered, setHovered] = useState<Hovered>();
  const specs = useMemo(
    (): readonly PlotSpec[] => [
      { label: _('Saved'), values: savedBytes, format: size, isBinary: true, colour: '--curve-saved' },
      { label: _('Free'), values: freeBytes, format: size, isBinary: true, colour: '--curve-free' },
      { label: _('ksmd, of one core'), values: ksmdPercent, format: percent, isBinary: false, colour: '--curve-ksmd' },
    ],
    [savedBytes, freeBytes, ksmdPercent],
  );
  if (times.length === 0) return <p className="subtle">{_('Nothing was recorded in this time.')}</p>;
  return (
    <>
      <div className="curves">
        {specs.map((spec) => (
          <Curve
            key={spec.label}
            {...{ spec, times, fromMillis, toMillis, happenings }}
            onHover={setHovered}
            summary={summaryOf(spec, fromMillis, toMillis)}
          />
        ))}
      </div>
      <ul className="legend" aria-hidden="true">
        <li className="started">{_('guests started')}</li>
        <li className="stopped">{_('guests ended')}</li>
        <li className="decision">{_('decisions')}</li>
      </ul>
      <Reading hovered={hovered} specs={specs} curves={curves} toMillis={toMillis} />
      <Events happenings={happenings} toMillis={toMillis} />
    </>
  );
}

function summaryOf({ label, values, format }: PlotSpec, fromMillis: number, toMillis: number): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return filled(_('$0: nothing is known'), label);
  const [least, most, last] = [Math.min(...known), Math.max(...known), known.at(-1) ?? 0];
  const [from, to] = [moment(fromMillis, toMillis), moment(toMillis, toMillis)];
  return filled(
    _('$0 from $1 to $2: between $3 and $4, last $5'),
    label,
    from,
    to,
    format(least),
    format(most),
    format(last),
  );
}

interface ReadingProps {
  readonly hovered: Hovered | undefined;
  readonly specs: readonly PlotSpec[];
  readonly curves: Curves;
  readonly toMillis: number;
}

/** What the curves say under the pointer, and what happened there. */
function Reading({ hovered, specs, curves: { times, happenings }, toMillis }: ReadingProps) {
  if (hovered === undefined) {
    return <p className="reading subtle">{_('Point at a curve to read it.')}</p>;
  }
  const { atMillis, pixelMillis } = hovered;
  const index = nearestIndex(times, atMillis / 1000);
  const near = happeningsNear(happenings, atMillis, NEAR_PIXELS * pixelMillis);
  const values = specs.flatMap(({ label, values: column, format }) => {
    const value = column[index];
    return value === null || value === undefined ? [] : [`${label} ${format(value)}`];
  });
  return (
    <div className="reading">
      <strong>{moment(near[0]?.atMillis ?? (times[index] ?? 0) * 1000, toMillis)}</strong> {values.join(', ')}
      {near.map((happening, at) => (
        <bdi key={at} lang="en">
          {describeHappening(happening)}
        </bdi>
      ))}
    </div>
  );
}

function nearestIndex(times: readonly number[], wanted: number): number {
  const after = times.findIndex((time) => time >= wanted);
  if (after <= 0) return after < 0 ? times.length - 1 : 0;
  return (times[after] ?? 0) - wanted < wanted - (times[after - 1] ?? 0) ? after : after - 1;
}

/** The same in words, the newest first. */
function Events({ happenings, toMillis }: { readonly happenings: readonly Happening[]; readonly toMillis: number }) {
  const newest = happenings.slice(-MOST_EVENTS).reverse();
  if (newest.length === 0) return null;
  return (
    <ExpandableSection toggleText={_('What happened, in words')}>
      <ol className="events" reversed>
        {newest.map((happening, at) => (
          <li key={at}>
            <time dateTime={new Date(happening.atMillis).toISOString()}>{moment(happening.atMillis, toMillis)}</time>{' '}
            <bdi lang="en">{describeHappening(happening)}</bdi>
          </li>
        ))}
      </ol>
    </ExpandableSection>
  );
}
