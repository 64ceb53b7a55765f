import { formatBytes, plural } from '../../core/format.js';
import type { KsmState } from '../../core/ksm.js';
import type { NumaNode } from '../../host/numa.js';
import { type Check, check, note, ok, problem, valueOf } from '../check.js';
import type { Facts } from '../facts.js';
import { changeUnshared } from '../remedies.js';

/**
 * The kernel's default is 1; "systems with more nodes, at significant NUMA distances, are likely to benefit from the lower
 * latency of setting 0" (Documentation/admin-guide/mm/ksm.rst).
 */
const numaMerging = check({
  id: 'numa-merging',
  title: 'Merging across nodes',
  why:
    'With merge_across_nodes=1 the one copy of a page is on one NUMA node, and guests on other nodes reach it more slowly. ' +
    'With 0 each node keeps its own copy: access is faster, and somewhat less is saved.',
  needs: ['ksm', 'numaNodes'],
  judge: ({ ksm, numaNodes }, facts) => {
    const { mergeAcrossNodes } = ksm;
    if (mergeAcrossNodes === undefined) return ok('this kernel was built without NUMA');
    if (numaNodes.length < 2)
      return ok(`one node with memory, so merge_across_nodes=${mergeAcrossNodes} has no effect`);
    const nodes = `${plural(numaNodes.length, 'node')} of ${sizes(numaNodes)}${distance(numaNodes)}`;
    if (mergeAcrossNodes === 0) return ok(`merge_across_nodes=0, ${nodes}`);
    const found = `merge_across_nodes=1 on ${nodes}`;
    return (valueOf(facts.numad)?.length ?? 0) > 0
      ? note(`${found}; see numad`)
      : note(found, ...keepOnNodes(ksm, facts));
  },
});

function sizes(nodes: readonly NumaNode[]): string {
  return [...new Set(nodes.map(({ totalBytes }) => formatBytes(totalBytes)))].join(' and ');
}

/** The kernel's relative figures: 10 is a node's own memory, 20 twice as far. */
function distance(nodes: readonly NumaNode[]): string {
  const farthest = Math.max(0, ...nodes.flatMap(({ distances }) => distances));
  return farthest === 0 ? '' : `, distance up to ${farthest}`;
}

function keepOnNodes(ksm: KsmState, facts: Facts): readonly string[] {
  const command = 'virsh node-memory-tune --shm-merge-across-nodes 0';
  return changeUnshared(ksm, facts, 'KSM_MERGE_ACROSS_NODES=0', command);
}

/**
 * numad(8): merge_across_nodes should be 0 beside numad; otherwise KSM increases remote memory accesses, and the kernel's
 * memory accounting, by which numad judges, is wrong after much merging across nodes.
 */
const numad = check({
  id: 'numad',
  title: 'numad',
  why:
    'numad moves each guest to the node where its memory is. Pages that KSM merged across nodes are on one node and ' +
    'used from all: numad moves guests back and forth, and its figures of free memory are wrong.',
  needs: ['numad', 'numaNodes', 'ksm'],
  judge: ({ numad: [running], numaNodes, ksm }, facts) => {
    if (running === undefined) return ok('does not run');
    const who = `numad (pid ${running.pid}) runs`;
    if (numaNodes.length < 2) return ok(`${who}, on one node`);
    if (ksm.mergeAcrossNodes !== 1) return ok(`${who}, and merging keeps within nodes`);
    return problem(`${who} while pages are merged across nodes (merge_across_nodes=1)`, ...keepOnNodes(ksm, facts));
  },
});

export const NUMA_CHECKS: readonly Check[] = [numaMerging, numad];
