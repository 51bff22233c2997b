/** The tours that run the commands of all documents, and the commands that cannot run here, each with the reason. */
import type { Tour } from './tour.ts';

/** Waits for the hub and its servers, and remembers the operator's key as the documents do. */
const keyCommands = `KEY=$(cat data/operator.key) || return
hestia() { npm run -s hestia -- "$@"; }
test "$(curl -s localhost:7420/readyz -H "Authorization: Bearer $KEY" | jq -c '[.dependencies | to_entries[] | select(.key | startswith("server:")) | .value.state] | unique')" = '["connected"]'`;

/** All tours, by what a reader does. */
export const tours: Readonly<Record<string, Tour>> = {
  'ten minutes, and the proof for an auditor': {
    documents: ['docs/start.md', 'docs/audit.md'],
    terminals: ['npm run signals', 'HESTIA_CONFIG='],
    repeated: ['KEY='],
    stoppedBefore: ['hestia audit verify --journal'],
  },
  'the first call, and what an operator does with the hub': {
    documents: [
      'README.md',
      'docs/servers.md',
      'docs/keys.md',
      'docs/skills.md',
      'docs/reference.md',
      'docs/alert-to-cause.md',
      'docs/operate.md',
      'docs/backup.md',
    ],
    terminals: ['HESTIA_CONFIG='],
    repeated: ['npm run -s client', 'hestia servers list'],
    // Without a collector, `hestia doctor` would find a fault.
    environment: { OTEL_SDK_DISABLED: 'true' },
    before: { 'docs/servers.md': keyCommands },
    stoppedBefore: ['mv data ', 'hestia keys reset-operator'],
    notRun: {
      'npm ci': 'installs what is installed already; .ci/run runs it on a fresh machine',
      'docker build -t registry': 'needs Docker and a cluster; test/chart checks the chart',
      'helm upgrade': 'needs a cluster; test/chart checks the chart',
    },
  },
};

/** Commands of documents that no tour runs: the document, how the block begins, and why. */
export const notRun: readonly { path: string; begins: string; reason: string }[] = [
  {
    path: 'docs/clients/claude-code.md',
    begins: 'claude mcp add',
    reason: 'needs Claude Code, which needs an account',
  },
  { path: 'docs/clients/gemini-cli.md', begins: 'gemini mcp add', reason: 'needs Gemini CLI, which needs an account' },
  { path: 'docs/observe.md', begins: 'npm run look', reason: 'runs until Ctrl-C; test/e2e/look.test.ts runs it' },
  { path: 'docs/observe.md', begins: 'docker run', reason: 'needs Docker' },
  {
    path: 'docs/observe.md',
    begins: 'echo "GRAFANA_ADMIN_PASSWORD',
    reason: 'needs Docker; test/docker-compose.test.ts reads the files',
  },
  {
    path: 'docs/logins.md',
    begins: 'hestia servers login notes',
    reason: 'needs a server with a login; test/upstream/oauth has one',
  },
  {
    path: 'docs/command-line.md',
    begins: 'npm run -s hestia -- demo',
    reason: 'takes a minute; test/e2e runs the demo with shorter times',
  },
  {
    path: 'SECURITY.md',
    begins: 'ssh-keygen -Y verify',
    reason: 'needs a release; test/release.test.ts makes and verifies one',
  },
];
