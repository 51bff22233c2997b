/** What 10,000 tools of one server cost: the longest turn of the event loop while they are indexed, and memory. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { IndexedTool } from '../../src/shapes/tool.ts';
import { openEvalIndex } from './eval-index.ts';

/** Milliseconds of a turn, by the clock and of the thread's processor time, and MiB of the index beyond that of words alone. */
export interface SearchSize {
  turnMsMax: { clock: number; cpu: number };
  moreThanWordsMib: number;
}

/** Indexes the tools as the hub does when a server lists them. */
export async function measureSize(tools: readonly IndexedTool[]): Promise<SearchSize> {
  setFlagsFromString('--expose-gc');
  const collectGarbage: () => void = runInNewContext('gc');
  const usedMib = () => {
    // What is held weakly goes with a later collection.
    for (let at = 0; at < 3; at += 1) collectGarbage();
    // External memory has the model's file and the WebAssembly memory of the vectors.
    const { heapUsed, external } = process.memoryUsage();
    return (heapUsed + external) / 2 ** 20;
  };
  const one = tools.map((tool, at) => ({
    ...tool,
    definition: { ...tool.definition, serverId: 'one', toolName: `${tool.definition.toolName}_${at}` },
  }));
  const grownBy = async (scoring: 'words' | 'static') => {
    const before = usedMib();
    const { index, settled } = openEvalIndex(scoring);
    const turns = watchTurns();
    await index.replaceServerInSlices('one', one);
    await settled();
    const turnMsMax = turns.stop();
    await index.search({ query: 'read a file', limit: 10, namespace: 'default' });
    const mib = usedMib() - before;
    // The index must be in use until here.
    if (index.count('default') !== one.length) throw new Error('not all tools are indexed');
    return { mib, turnMsMax };
  };
  const words = await grownBy('words');
  const joint = await grownBy('static');
  return { turnMsMax: joint.turnMsMax, moreThanWordsMib: joint.mib - words.mib };
}

/** Measures each turn of the event loop until it is stopped. */
function watchTurns() {
  const most = { clock: 0, cpu: 0 };
  let isStopped = false;
  let startedAt = performance.now();
  let startedCpu = cpuMs();
  const turn = () => {
    const [at, cpu] = [performance.now(), cpuMs()];
    most.clock = Math.max(most.clock, at - startedAt);
    most.cpu = Math.max(most.cpu, cpu - startedCpu);
    [startedAt, startedCpu] = [at, cpu];
    if (!isStopped) setImmediate(turn);
  };
  setImmediate(turn);
  return {
    stop: () => {
      isStopped = true;
      return most;
    },
  };
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
