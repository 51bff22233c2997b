/** The uid of each dashboard, which its URL contains and the alerts name as label `board`. */
export const boardUids = {
  overview: 'hestia-overview',
  tools: 'hestia-tools',
  skillsAndSecurity: 'hestia-skills-security',
  scheduler: 'hestia-scheduler',
  searchAndLearning: 'hestia-search-learning',
  telemetryPipeline: 'hestia-telemetry-pipeline',
} as const;

/** One of {@link boardUids}. */
export type BoardUid = (typeof boardUids)[keyof typeof boardUids];
