/** All faults, one for each alert, by name. */
import { CommandError, exitCodes } from '../command-error.ts';
import { faultsOfAccess } from './access.ts';
import { faultsOfCalls } from './calls.ts';
import { faultsOfCollector } from './collector.ts';
import type { Fault } from './fault.ts';
import { faultsOfProcess } from './process.ts';
import { faultsOfScheduler } from './scheduler.ts';
import { faultsOfServers } from './servers.ts';
import { faultsOfSkills } from './skills.ts';
import { faultsOfStorage } from './storage.ts';

/** The faults, in the order they are listed. */
export const faults: readonly Fault[] = [
  ...faultsOfCalls,
  ...faultsOfServers,
  ...faultsOfSkills,
  ...faultsOfAccess,
  ...faultsOfStorage,
  ...faultsOfScheduler,
  ...faultsOfProcess,
  ...faultsOfCollector,
];

/** The faults that a text names, separated by commas; `all` names each of them. @throws CommandError for an unknown name */
export function faultsByName(text: string): readonly Fault[] {
  if (text === 'all') return faults;
  return [...new Set(text.split(','))].map((name) => {
    const fault = faults.find((one) => one.name === name.trim());
    if (fault !== undefined) return fault;
    const known = faults.map((one) => one.name).join(', ');
    throw new CommandError(exitCodes.usage, `--faults: found "${name.trim()}", must be list, all, or of: ${known}`);
  });
}
