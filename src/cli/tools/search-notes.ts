/** The notes of `hestia tools search`: weak matches, skills that are not active, and why nothing fits. */
import type { SearchAnswer, ToolReference } from '../../shapes/search-answer.ts';
import { printable } from '../../shapes/text.ts';

/** What a person should know of a result before using it; empty for most. */
export function markOf({ weakMatch, active }: ToolReference): string {
  return [...(weakMatch === true ? ['weak match'] : []), ...(active === false ? ['not active'] : [])].join(', ');
}

/** Why nothing fits, which servers the answer is without, how to activate its skills, and how many matches are left out. */
export function noteLines(answer: SearchAnswer): string[] {
  const { results, reasons = [], serversConnecting = [], serversUnavailable = [], filteredCount = 0 } = answer;
  const named = (servers: readonly string[]) => servers.map(printable).join(', ');
  return [
    ...(reasons.includes('no_match') ? ['nothing matches these words or their meaning'] : []),
    ...(reasons.includes('no_tools') ? ['there is nothing to find with these filters and this key'] : []),
    ...(reasons.includes('weak_matches') ? ['nothing fits well: check a result before using it'] : []),
    ...results.flatMap(({ toolName, activation }) =>
      activation === undefined ? [] : [`${printable(toolName)} is not active. ${printable(activation)}`],
    ),
    ...(serversConnecting.length === 0 ? [] : [`still connecting, search again: ${named(serversConnecting)}`]),
    ...(serversUnavailable.length === 0 ? [] : [`not connected: ${named(serversUnavailable)}`]),
    ...(filteredCount === 0 ? [] : [`left out, in other namespaces: ${filteredCount}`]),
  ];
}
