/** `hestia status`: whether the hub is ready, and what it does. */
import type { Command } from 'commander';
import { z } from 'zod';
import { hubStatusViewSchema } from '../../shapes/hub/status.ts';
import { printable } from '../../shapes/text.ts';
import { type CommandContext, type HubOptions, hubOf, withHubOptions } from '../command-context.ts';
import { CommandError, exitCodes } from '../command-error.ts';
import type { CommandOutput } from '../command-output.ts';
import { durationText, relativeTime } from '../terminal/relative-time.ts';

/** What is read of the answer of `/readyz`. */
export const readinessViewSchema = z.object({
  status: z.string(),
  message: z.string().optional(),
  dependencies: z.record(z.string(), z.looseObject({ state: z.string(), reason: z.string().optional() })),
});

/** Adds the command. */
export function addStatusCommand(program: Command, context: CommandContext): void {
  withHubOptions(program.command('status'), context)
    .description('show whether the hub is ready, its servers, tools and running calls; fails if it is not ready')
    .action(async (options: HubOptions) => {
      const hub = hubOf(options);
      const { signal, output } = context;
      const readiness = readinessViewSchema.parse((await hub.send('/readyz', { signal })).body);
      const status = await hub.request('/v1/status', hubStatusViewSchema, { signal });
      const report = { url: hub.url, ...readiness, ...status, status: readiness.status };
      output.record(report, lines(report, output));
      if (readiness.status !== 'ready') throw new CommandError(exitCodes.failed, `the hub is ${readiness.status}`);
    });
}

type Report = { url: string } & z.infer<typeof readinessViewSchema> & z.infer<typeof hubStatusViewSchema>;

function lines(report: Report, output: CommandOutput): string[] {
  const { url, version, status, message, uptimeSeconds, scheduler } = report;
  const { serversConnected, serversTotal, serversMisconfigured, auditGap } = report;
  const isGood = status === 'ready';
  const notUp = Object.entries(report.dependencies).filter(([, { state }]) => state !== 'up' && state !== 'connected');
  const gap = auditGap === 0 ? 'complete' : output.tone('bad', `${auditGap} records are missing`);
  return [
    `Hestia ${version} at ${url}: ${output.tone(isGood ? 'good' : 'bad', status)}, up ${durationText(uptimeSeconds * 1000)}`,
    ...(message === undefined ? [] : [message]),
    `servers    ${serversConnected} of ${serversTotal} connected${serversMisconfigured > 0 ? `, ${serversMisconfigured} misconfigured` : ''}`,
    `tools      ${report.toolsCount}`,
    `skills     ${report.skillsActive} active in your namespace`,
    `calls      ${report.callsRunning} running`,
    `trail      ${gap}`,
    `cleanup    last ${relativeTime(scheduler.lastRunTime) ?? 'none yet'}, next ${relativeTime(scheduler.nextRunTime) ?? 'not planned'}`,
    ...notUp.map(([name, { state, reason }]) =>
      printable(`${output.tone('bad', name)} is ${state}${reason === undefined ? '' : `: ${reason}`}`),
    ),
  ];
}
