/** Colours by meaning, the same on every dashboard. */
import type { Outcome, SecurityEvent } from '../../src/shapes/event.ts';

/** A colour of Grafana's palette, which has a light and a dark variant of each. */
export type Colour = string;

/** Colours by what a value means. */
export const meaning = {
  good: 'green',
  notice: 'blue',
  suspect: 'orange',
  bad: 'red',
  grave: 'dark-red',
  gone: 'purple',
  neutral: 'text',
} as const;

/** Colours of the outcomes of calls. */
export const outcomeColours: Readonly<Record<Outcome, Colour>> = {
  success: meaning.good,
  error: meaning.bad,
  timeout: meaning.suspect,
  abandoned: meaning.gone,
};

/** Colours of the 50th, 95th and 99th percentile. */
export const percentileColours: Readonly<Record<string, Colour>> = {
  p50: meaning.good,
  p95: meaning.suspect,
  p99: meaning.bad,
};

/** Colours of HTTP status codes, by pattern. Green was answered, orange and yellow was refused, red failed. The last one that matches counts. */
export const statusColours: Readonly<Record<string, Colour>> = {
  '/^2/': meaning.good,
  '/^3/': meaning.notice,
  '/^4/': meaning.suspect,
  '/^401$/': 'dark-orange',
  '/^403$/': 'light-orange',
  '/^404$/': 'yellow',
  '/^429$/': 'dark-yellow',
  '/^5/': meaning.bad,
};

/** Colours of the results of jobs other than success, whose jobs have colours of their own, by pattern. */
export const jobResultPatterns: Readonly<Record<string, Colour>> = {
  '/: failure$/': meaning.bad,
  '/: skipped$/': meaning.gone,
};

/** Colours of the severities of alerts. */
export const severityColours: Readonly<Record<string, Colour>> = {
  info: meaning.notice,
  warning: meaning.suspect,
  critical: meaning.bad,
};

/** Colours of security events: normal operation, refused requests, failures, and attacks. */
export const securityEventColours: Readonly<Record<SecurityEvent, Colour>> = {
  SKILL_ACTIVATION_SUCCESS: meaning.good,
  SKILL_DEACTIVATION_SUCCESS: 'light-green',
  SKILL_ACTIVATION_EXPIRED: 'light-blue',
  SKILL_CHANGED: meaning.notice,
  SKILL_READ: '#7CC67C',
  PROMPT_READ: 'semi-dark-green',
  RESOURCE_READ: 'dark-green',
  RESOURCE_SUBSCRIBED: '#6C5CE7',
  COMPLETION_READ: 'dark-yellow',
  CLIENT_INPUT_REQUESTED: 'semi-dark-purple',
  SERVER_CHANGED: 'light-purple',
  SIGNED_IN: 'semi-dark-yellow',
  SERVER_LOGIN_REQUIRED: 'semi-dark-orange',
  KEY_CREATED: 'dark-blue',
  KEY_REVOKED: '#0E7C86',
  AUTH_FAILED: meaning.suspect,
  ACCESS_DENIED: 'light-orange',
  RATE_LIMITED: 'yellow',
  SKILL_ACTIVATION_REGISTRATION_FAILED: meaning.bad,
  SKILL_DEACTIVATION_UNREGISTRATION_FAILED: 'light-red',
  SKILL_INJECTION_ATTEMPT: meaning.grave,
  TOOL_DEFINITION_CHANGED: 'dark-orange',
  TOOL_POISONING_SUSPECTED: 'dark-purple',
  AUDIT_CHAIN_BROKEN: 'semi-dark-red',
  AUDIT_KEY_ROTATED: 'semi-dark-blue',
};
