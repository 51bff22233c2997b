/** The names of all listed tools by server, to find those that imitate another server's or the hub's. */
import { createTimeSlices } from '../../flow/time-slices.ts';
import type { ScanFinding } from '../../shapes/scan.ts';
import { isAscii } from '../scan/text-normalisation.ts';
import { joinedSkeleton, nameFindings, nameSkeleton } from './tool-name.ts';

/** The names that servers list. */
export interface ToolNames {
  /**
   * Replaces the names of a server, in time slices. Returns the other servers that list a name of foreign characters which looks like one of
   * these, and must be screened again.
   */
  replace(serverId: string, names: readonly string[]): Promise<string[]>;
  /** The rules that a name matches. `isKnown` is true if the tool was seen before. */
  findings(tool: { serverId: string; toolName: string }, isKnown: boolean): ScanFinding[];
}

/** Creates an empty collection. `hubToolNames` returns the names of the hub's own tools. */
export function createToolNames(hubToolNames: () => readonly string[]): ToolNames {
  const servers = new Map<string, ReadonlyMap<string, string[]>>();
  let hub: ReadonlySet<string> = new Set();
  const othersThan = (serverId: string) => [...servers].filter(([id]) => id !== serverId);
  return {
    replace: async (serverId, names) => {
      hub = new Set(hubToolNames().map(joinedSkeleton));
      const slice = createTimeSlices();
      const bySkeleton = new Map<string, string[]>();
      for (const name of names) {
        const skeleton = nameSkeleton(name);
        const alike = bySkeleton.get(skeleton);
        if (alike === undefined) bySkeleton.set(skeleton, [name]);
        else alike.push(name);
        await slice();
      }
      const before = servers.get(serverId);
      servers.set(serverId, bySkeleton);
      const imitators = new Set<string>();
      for (const skeleton of bySkeleton.keys()) {
        if (before?.has(skeleton) === true) continue;
        for (const [id, listed] of othersThan(serverId))
          if (listed.get(skeleton)?.some((name) => !isAscii(name)) === true) imitators.add(id);
        await slice();
      }
      return [...imitators];
    },
    findings({ serverId, toolName }, isKnown) {
      const skeleton = nameSkeleton(toolName);
      const others = othersThan(serverId).flatMap(([, listed]) => listed.get(skeleton) ?? []);
      return nameFindings(toolName, { hub, others, isKnown });
    },
  };
}
