import { Card, CardBody } from '@patternfly/react-core/dist/esm/components/Card/index.js';
import type { DaemonProperties } from '../../api/replies.js';
import { relative } from '../model/format.js';
import { type Answer, type Figure, answerOf, figuresOf } from '../model/status.js';
import { _, counted, filled } from '../text.js';
import { useNow } from './hooks.js';
import { Tag } from './parts.js';

const COLOURS = { merging: 'green', resting: 'grey', held: 'orange', failed: 'red' } as const;

/** The answer in words, and what merging brings and costs. */
export function AnswerCard({ properties }: { readonly properties: DaemonProperties }) {
  const now = useNow(5000);
  const answer = answerOf(properties, now);
  return (
    <Card aria-label={_('Now')} component="section">
      <CardBody>
        <div className="answer">
          <h2 className="pf-v6-c-title pf-m-xl">{answer.title}</h2>
          <Tag colour={COLOURS[answer.tone]}>{toneText(answer)}</Tag>
          {properties.dryRun && <Tag colour="blue">{_('dry run: nothing is written')}</Tag>}
        </div>
        {answer.notes.map((note) => (
          <p key={note}>{note}</p>
        ))}
        {answer.sentence !== undefined && (
          <p className="sentence">
            <bdi lang="en">{answer.sentence}</bdi>
          </p>
        )}
        <dl className="figures">
          {figuresOf(properties).map((figure) => (
            <FigureItem key={figure.label} figure={figure} />
          ))}
        </dl>
        <p className="subtle">{retunedText(properties, now)}</p>
        <Problems problems={properties.lastRetune.problems} />
      </CardBody>
    </Card>
  );
}

function FigureItem({ figure: { label, value, detail, warning } }: { readonly figure: Figure }) {
  return (
    <div className="figure">
      <dt>{label}</dt>
      <dd>
        <span className="value">{value}</span>
        {warning !== undefined && <Tag colour={warning.colour}>{warning.text}</Tag>}
        {detail !== '' && <p className="subtle">{detail}</p>}
      </dd>
    </div>
  );
}

function Problems({ problems }: { readonly problems: readonly string[] }) {
  if (problems.length === 0) return null;
  return (
    <ul className="problems" aria-label={_('Warnings')}>
      {problems.map((problem) => (
        <li key={problem}>
          <bdi lang="en">{problem}</bdi>
        </li>
      ))}
    </ul>
  );
}

function toneText({ tone }: Answer): string {
  const texts = { merging: _('ksmd runs'), resting: _('ksmd rests'), held: _('held by hand'), failed: _('failed') };
  return texts[tone];
}

function retunedText(properties: DaemonProperties, now: number): string {
  const { lastRetune, nextLookUSec, run, pagesToScan, sleepMillisecs, libvirtConnected, version } = properties;
  const { realtimeUSec } = lastRetune;
  return [
    ...(realtimeUSec === undefined ? [] : [filled(_('Last retune $0.'), relative(realtimeUSec / 1000, now))]),
    ...(nextLookUSec / 1000 > now ? [filled(_('Next retune $0.'), relative(nextLookUSec / 1000, now))] : []),
    ...(run === 1
      ? [
          filled(
            counted(pagesToScan, 'ksmd scans $0 page every $1 ms.', 'ksmd scans $0 pages every $1 ms.'),
            '',
            String(sleepMillisecs),
          ),
        ]
      : []),
    libvirtConnected ? _('libvirt is connected.') : _('libvirt is not connected: guests are found in /proc.'),
    filled(_('samepaged $0.'), version),
  ].join(' ');
}
