/** The names of all listed tools by server, to find those that imitate another server's or the hub's. */
import type { ScanFinding } from '../../shapes/scan.ts';
import { isAscii } from '../scan/text-normalisation.ts';
import { joinedSkeleton, nameFindings, nameSkeleton } from './tool-name.ts';

/** The names that servers list. */
export interface ToolNames {
  /**
   * Replaces the names of a server. Returns the other servers that list a name of foreign characters which looks like one of
   * these, and must be screened again.
   */
  replace(serverId: string, names: readonly string[]): string[];
  /** The rules that a name matches. `isKnown` is true if the tool was seen before. */
  findings(tool: { serverId: string; toolName: string }, isKnown: boolean): ScanFinding[];
}

/** Creates an empty collection. `hubToolNames` returns the names of the hub's own tools. */
export function createToolNames(hubToolNames: () => readonly string[]): ToolNames {
  const servers = new Map<string, ReadonlyMap<string, string[]>>();
  let hub: ReadonlySet<string> = new Set();
  const othersThan = (serverId: string) => [...servers].filter(([id]) => id !== serverId);
  return {
    replace(serverId, names) {
      hub = new Set(hubToolNames().map(joinedSkeleton));
      const bySkeleton = Map.groupBy(names, nameSkeleton);
      const before = servers.get(serverId);
      servers.set(serverId, bySkeleton);
      const added = [...bySkeleton.keys()].filter((skeleton) => before?.has(skeleton) !== true);
      const isImitated = (listed: ReadonlyMap<string, string[]>) =>
        added.some((skeleton) => listed.get(skeleton)?.some((name) => !isAscii(name)) === true);
      return othersThan(serverId)
        .filter(([, listed]) => isImitated(listed))
        .map(([id]) => id);
    },
    findings({ serverId, toolName }, isKnown) {
      const skeleton = nameSkeleton(toolName);
      const others = othersThan(serverId).flatMap(([, listed]) => listed.get(skeleton) ?? []);
      return nameFindings(toolName, { hub, others, isKnown });
    },
  };
}
