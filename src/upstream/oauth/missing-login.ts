/** What a connection says while the login of the hub is missing: in its status, and to calls. */
import { hubLogin, loginCommand, loginReason } from '../../shapes/oauth/credential.ts';
import type { ServerErrorType } from '../../shapes/server.ts';
import { UpstreamCallError } from '../call-failure.ts';

/** The error of a call while the server is not connected, by its last failure. */
export function unavailable(serverId: string, { errorType }: { errorType?: ServerErrorType | undefined }) {
  if (errorType !== 'login_required') return new UpstreamCallError('server_unavailable');
  return new UpstreamCallError('login_required', { loginCommand: loginCommand(hubLogin(serverId)) });
}

/** The field of a status that says how to log in. */
export function reasonField(serverId: string, { errorType }: { errorType?: ServerErrorType | undefined }) {
  return errorType === 'login_required' ? { reason: loginReason(hubLogin(serverId)) } : {};
}
