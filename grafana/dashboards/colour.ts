/** Colours by meaning, the same on every board: whoever has learned one legend has learned them all. */
import type { Outcome, SecurityEvent } from '../../src/shapes/event.ts';

/** A colour of Grafana's palette, which has a light and a dark form of each. */
export type Colour = string;

/** What a value says, where it says something. */
export const meaning = {
  good: 'green',
  notice: 'blue',
  suspect: 'orange',
  bad: 'red',
  grave: 'dark-red',
  gone: 'purple',
  neutral: 'text',
} as const;

/** How a call ended. */
export const outcomeColours: Readonly<Record<Outcome, Colour>> = {
  success: meaning.good,
  error: meaning.bad,
  timeout: meaning.suspect,
  abandoned: meaning.gone,
};

/** The lines of a duration: for most, for the unlucky, for the unluckiest. */
export const percentileColours: Readonly<Record<string, Colour>> = {
  p50: meaning.good,
  p95: meaning.suspect,
  p99: meaning.bad,
};

/** How a run of a job ended. */
export const jobResultColours: Readonly<Record<string, Colour>> = {
  success: meaning.good,
  failure: meaning.bad,
  skipped: meaning.neutral,
};

/** Severities of alerts. */
export const severityColours: Readonly<Record<string, Colour>> = {
  info: meaning.notice,
  warning: meaning.suspect,
  critical: meaning.bad,
};

/** Security events: what is as it should be, what somebody may not do, what went wrong, what is an attack or worse. */
export const securityEventColours: Readonly<Record<SecurityEvent, Colour>> = {
  SKILL_ACTIVATION_SUCCESS: meaning.good,
  SKILL_DEACTIVATION_SUCCESS: 'light-green',
  SKILL_ACTIVATION_EXPIRED: 'light-blue',
  SKILL_CHANGED: meaning.notice,
  KEY_CREATED: 'dark-blue',
  KEY_REVOKED: 'super-light-blue',
  AUTH_FAILED: meaning.suspect,
  ACCESS_DENIED: 'light-orange',
  RATE_LIMITED: 'yellow',
  SKILL_ACTIVATION_REGISTRATION_FAILED: meaning.bad,
  SKILL_DEACTIVATION_UNREGISTRATION_FAILED: 'light-red',
  SKILL_INJECTION_ATTEMPT: meaning.grave,
  TOOL_DEFINITION_CHANGED: 'dark-orange',
  TOOL_POISONING_SUSPECTED: 'dark-purple',
  AUDIT_CHAIN_BROKEN: 'semi-dark-red',
};
