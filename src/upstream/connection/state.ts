/** The state of a connection, as its status shows it: since when, and the last failure. */
import type { ServerState, ServerStatus } from '../../shapes/server.ts';
import { type SessionFailure, shownFailure } from '../session-failure.ts';

/** The fields of a status that describe the state. */
export type StateFields = Pick<
  ServerStatus,
  'state' | 'stateSince' | 'errorType' | 'failure' | 'retryAt' | 'quarantined'
>;

/** What a state needs. `now` is in Unix milliseconds. */
export interface ConnectionStateDeps {
  now: () => number;
  /** Called after each call of {@link ConnectionState.set}. */
  onSet(): void;
}

/** The state of one connection. It begins as `disconnected`. */
export class ConnectionState {
  readonly #deps: ConnectionStateDeps;
  #state: ServerState = 'disconnected';
  #since: number;
  #failure: Pick<ServerStatus, 'errorType' | 'failure'> = { errorType: undefined, failure: undefined };
  #retryAt: number | undefined;
  #isQuarantined = false;

  constructor(deps: ConnectionStateDeps) {
    this.#deps = deps;
    this.#since = deps.now();
  }

  get current(): ServerState {
    return this.#state;
  }

  /** Sets the state. `retryInMs` is the time until the next attempt, for `reconnecting`. */
  set(state: ServerState, retryInMs?: number, isQuarantined = false): void {
    const now = this.#deps.now();
    if (this.#state !== state) this.#since = now;
    this.#state = state;
    this.#retryAt = retryInMs === undefined ? undefined : now + retryInMs;
    this.#isQuarantined = isQuarantined;
    this.#deps.onSet();
  }

  /** Sets the last failure, or removes it. */
  setFailure(failure: SessionFailure | undefined): void {
    this.#failure = { errorType: failure?.errorType, failure: failure && shownFailure(failure.detail) };
  }

  fields(): StateFields {
    return {
      state: this.#state,
      stateSince: this.#since,
      ...this.#failure,
      retryAt: this.#retryAt,
      ...(this.#isQuarantined && { quarantined: true }),
    };
  }
}
