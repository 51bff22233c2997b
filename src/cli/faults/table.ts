/** The table of all faults, one for each alert, and their lookup by name. */
import { CommandError, exitCodes } from '../command-error.ts';
import { accessFaults } from './access.ts';
import { callFaults } from './calls.ts';
import { collectorFaults } from './collector.ts';
import type { Fault } from './fault.ts';
import { processFaults } from './process.ts';
import { schedulerFaults } from './scheduler.ts';
import { skillFaults } from './skills.ts';
import { storageFaults } from './storage.ts';
import { upstreamFaults } from './upstream.ts';

/** All faults, in the order in which they are listed. */
export const faults: readonly Fault[] = [
  ...callFaults,
  ...upstreamFaults,
  ...skillFaults,
  ...accessFaults,
  ...storageFaults,
  ...schedulerFaults,
  ...processFaults,
  ...collectorFaults,
];

/** The faults of a comma-separated list of names, or all faults for `all`. @throws CommandError for an unknown name */
export function faultsByName(text: string): readonly Fault[] {
  if (text === 'all') return faults;
  return [...new Set(text.split(','))].map((name) => {
    const fault = faults.find((one) => one.name === name.trim());
    if (fault !== undefined) return fault;
    const known = faults.map((one) => one.name).join(', ');
    throw new CommandError(exitCodes.usage, `--faults: found "${name.trim()}", must be list, all, or of: ${known}`);
  });
}
