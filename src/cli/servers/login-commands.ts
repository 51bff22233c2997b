/** `hestia servers login` and `logout`: logins to upstream servers that require OAuth. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import { type LoginView, loginViewSchema } from '../../shapes/oauth/login.ts';
import { printable } from '../../shapes/text.ts';
import { type CommandContext, type HubOptions, hubOf, withHubOptions } from '../command-context.ts';
import { CommandError, exitCodes } from '../command-error.ts';
import type { HubClient } from '../hub-client.ts';

interface AgentOptions extends HubOptions {
  agent?: string;
  namespace?: string;
}

interface LoginOptions extends AgentOptions {
  device?: boolean;
}

/** Interval at which the state of a login is read, in milliseconds. */
const pollMs = 1000;

/** Adds both commands below `servers`. */
export function addLoginCommands(servers: Command, context: CommandContext): void {
  withAgentOptions(servers.command('login'), context)
    .description('log in to a server that requires OAuth, in a browser or with a device code')
    .argument('<id>', 'the name of the server')
    .option('--device', 'show a code to enter on any device, where the server offers that')
    .action((serverId: string, options: LoginOptions) => login(serverId, options, context));
  withAgentOptions(servers.command('logout'), context)
    .description('delete the login to a server and revoke its tokens')
    .argument('<id>', 'the name of the server')
    .action(async (serverId: string, options: AgentOptions) => {
      const request = { method: 'POST', json: agentOf(options), signal: context.signal } as const;
      await hubOf(options).request(`${pathOf(serverId)}/logout`, z.undefined(), request);
      context.output.record({ serverId, loggedOut: true }, [`logged out of ${serverId}`]);
    });
}

function withAgentOptions(command: Command, context: CommandContext): Command {
  return withHubOptions(command, context)
    .option('--agent <name>', 'the agent whose login it is, for a server with oauth.identity "agent"')
    .option('--namespace <name>', 'the namespace of that agent; default: default');
}

async function login(serverId: string, options: LoginOptions, context: CommandContext): Promise<void> {
  const hub = hubOf(options);
  const json = { flow: options.device ? 'device' : 'browser', ...agentOf(options) };
  const path = `${pathOf(serverId)}/login`;
  const begun = await hub.request(path, loginViewSchema, { method: 'POST', json, signal: context.signal });
  if (begun.state === 'pending') context.output.record(begun, instructions(begun));
  const ended = begun.state === 'pending' ? await untilEnded(hub, `${path}/${begun.loginId}`, context) : begun;
  if (ended.state === 'failed') {
    throw new CommandError(exitCodes.failed, `not logged in to ${serverId}: ${ended.message ?? ended.error ?? ''}`);
  }
  context.output.record(ended, [`logged in to ${serverId}`]);
}

/** The address is printed, and never opened: it comes from the server, and the user sees where it leads. */
function instructions({ url = '', userCode }: LoginView): string[] {
  const address = printable(url);
  if (userCode === undefined) return ['open this address in a browser on this machine:', '', `    ${address}`, ''];
  return ['open this address in any browser:', '', `    ${address}`, '', `and enter the code ${printable(userCode)}`];
}

async function untilEnded(hub: HubClient, path: string, { signal }: CommandContext): Promise<LoginView> {
  while (true) {
    await delay(pollMs, undefined, { signal });
    const view = await hub.request(path, loginViewSchema, { signal });
    if (view.state !== 'pending') return view;
  }
}

function agentOf({ agent, namespace }: AgentOptions) {
  return { ...(agent !== undefined && { agentId: agent }), ...(namespace !== undefined && { namespace }) };
}

function pathOf(serverId: string): string {
  return `/v1/servers/${encodeURIComponent(serverId)}`;
}
