/** The process groups that descendants of a process have made for themselves, on Linux. */
import { readdirSync, readFileSync } from 'node:fs';

/** The most processes that are looked at. */
const processesMax = 1000;

/**
 * The ids of the groups below a process, without its own. A browser that a server starts is one. Reads `/proc`, for the
 * descendants only (proc(5)); empty on other systems, and after the process has exited.
 */
export function groupsBelow(pid: number): number[] {
  const groups = new Set<number>();
  const seen = new Set([pid]);
  for (const parent of seen) {
    for (const child of childrenOf(parent)) {
      if (seen.size >= processesMax) break;
      seen.add(child);
      const group = groupOf(child);
      if (group !== undefined && group !== pid) groups.add(group);
    }
  }
  return [...groups];
}

function childrenOf(pid: number): number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const lists = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8'));
    return lists.flatMap((list) => list.split(' ')).flatMap((text) => (text.trim() === '' ? [] : Number(text)));
  } catch {
    // The process has exited, or the system has no such file.
    return [];
  }
}

function groupOf(pid: number): number | undefined {
  try {
    // State, parent and group follow the name, which is in parentheses and may contain blanks.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const group = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
    return group > 1 ? group : undefined;
  } catch {
    return undefined;
  }
}
