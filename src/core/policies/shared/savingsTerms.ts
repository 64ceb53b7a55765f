import type { Term } from '../../decision.js';
import { type Sample, savingsOfSample } from '../../sample.js';

/** What merging gave back, by its kinds, as far as there is any: for `explain` under every policy. */
export function savingsTerms(sample: Sample): readonly Term[] {
  const { sharedBytes, zeroBytes, freedBytes } = savingsOfSample(sample);
  const terms: readonly Term[] = [
    { name: 'shared', value: sharedBytes, unit: 'bytes', source: 'pages_sharing' },
    { name: 'zero pages', value: zeroBytes, unit: 'bytes', source: 'ksm_zero_pages' },
    { name: 'freed', value: freedBytes, unit: 'bytes', source: "splits of huge pages, by guests' private memory" },
  ];
  return terms.filter(({ value }) => value > 0);
}
