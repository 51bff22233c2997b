/** What a person can do about an upstream server that does not connect, by the type of its failure. */
import type { ServerErrorType, ServerStatus } from '../../shapes/server.ts';
import { html, type Shown } from '../markup.ts';

/** The advice; undefined for a server without a failure, or whose reason says it already. */
export function serverAdvice({ errorType, failure, reason, quarantined }: ServerStatus): Shown {
  if (errorType === undefined || reason !== undefined) return undefined;
  if (quarantined === true)
    return 'It ended too often, so the hub waits for its next attempt. Connect it once the cause is mended.';
  if (failure?.systemCode === 'ENOENT')
    return html`The program of <code>command</code> is not installed where the hub runs, or not in its <code>PATH</code>. Install it, or edit the entry.`;
  if (failure?.httpStatus === 401 || failure?.httpStatus === 403)
    return html`The server refuses the credentials of the hub. Log in, or edit <code>headers</code> of the entry.`;
  if (failure?.httpStatus === 404)
    return html`There is no MCP server at this address. Edit <code>url</code> of the entry; it often ends in <code>/mcp</code>.`;
  if (failure?.exitCode !== undefined || failure?.exitSignal !== undefined)
    return 'Its program ended. The last lines of its standard error, below, may say why.';
  return advice[errorType];
}

const advice: Readonly<Record<ServerErrorType, Shown>> = {
  spawn_failed: html`The program could not be started. Check <code>command</code> and <code>args</code> of the entry.`,
  connect_failed:
    'Nothing that speaks MCP answers there. Check that the server runs and that the address is right, and connect again.',
  connect_timeout:
    'It did not answer in time. A first start may download a package: connect again. Otherwise see its standard error.',
  connection_lost:
    'Its process or connection ended. The last lines of its standard error may say why; the hub connects again.',
  list_failed: 'It connected, but did not list its tools. Its standard error, or whoever maintains it, can say why.',
  message_too_large:
    'It sent a message that is larger than the hub accepts. Whoever maintains it can make its answers smaller.',
  login_required: 'Log in as the hub, below.',
};
