/** All dashboards, and the JSON file that each is generated into. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { overviewBoard } from './board-overview.ts';
import { schedulerBoard } from './board-scheduler.ts';
import { searchAndLearningBoard } from './board-search-and-learning.ts';
import { skillsAndSecurityBoard } from './board-skills-and-security.ts';
import { telemetryPipelineBoard } from './board-telemetry-pipeline.ts';
import { toolsBoard } from './board-tools.ts';

/** A generated dashboard. `path` is relative to the root of the repository. */
export interface BoardFile {
  path: string;
  board: Dashboard;
}

/** Creates all dashboards, in reading order. */
export function boardFiles(): BoardFile[] {
  const boards = {
    overview: overviewBoard(),
    tools: toolsBoard(),
    'skills-and-security': skillsAndSecurityBoard(),
    scheduler: schedulerBoard(),
    'search-and-learning': searchAndLearningBoard(),
    'telemetry-pipeline': telemetryPipelineBoard(),
  };
  return Object.entries(boards).map(([name, board]) => ({ path: `grafana/dashboards/${name}.json`, board }));
}
