/** Rules on data that leaves: secrets read and sent, conversations reported, collection hosts, code that leaks. */
import type { ScanRule } from './scan-rule.ts';

const login = [
  'authorization',
  'bearer',
  'oauth',
  'login',
  'signin',
  'authenticate',
  'authentication',
  '-u',
  'x-api-key',
  'header',
  'headers',
];

/** Families EXF and CRD. */
export const exfiltrationRules: readonly ScanRule[] = [
  {
    id: 'EXF-01',
    severity: 'critical',
    why: 'Reads a file that holds credentials and passes on what is in it.',
    in: 'text',
    patterns: [
      '@read|contents|content|contents ..12 @credpath ..20 @send|@include',
      '@send|@include|contents|content|back ..12 @credpath',
    ],
  },
  {
    id: 'EXF-02',
    severity: 'critical',
    why: 'Sends secrets, the conversation or the system prompt somewhere else.',
    in: 'text',
    patterns: [
      '@send ..10 @secretdata|@credpath|@secretvar ..10 to ..8 @url|@sinkhost|@email|@outside|@ip|@pastehost',
      '@send ..10 @privatedata ..10 to|via ..8 @url|@sinkhost|@email|@ip|@pastehost|external|remote|attacker|third-party',
      '@send ..10 to ..6 @url|@sinkhost|@email|@outside|@ip ..10 @secretdata|@credpath',
      '@secretdata|@privatedata ..8 to ..5 @sinkhost|@pastehost|attacker',
      '@send ..4 api|private|ssh|secret|access keys|key|tokens ..8 to ..6 @url|@outside|@sinkhost|public|@email|server|endpoint',
    ],
    unless: login,
  },
  {
    id: 'EXF-03',
    severity: 'high',
    why: 'Makes it a duty to report what the user has to a foreign address.',
    in: 'text',
    patterns: [
      '@duty & @send|backup|log & @privatedata|@secretdata|output|results|files|file & @url|@sinkhost|@email|@ip <60',
      '@duty & @fetcher & @url|@sinkhost & post|-d|--data|-f|-x <60',
    ],
  },
  {
    id: 'EXF-04',
    severity: 'high',
    why: 'Names an address whose use is to collect what is sent to it.',
    in: 'command',
    patterns: [
      '@send|@fetcher|post|-d|@include|requests.post|httpx.post|axios.post|fetch ..14 @sinkhost',
      '@send ..10 @pastehost',
    ],
  },
  {
    id: 'EXF-05',
    severity: 'critical',
    why: 'Builds an image or link whose address carries data away when it is shown.',
    in: 'text',
    expressions: [/!\[[^\]]{0,200}\]\(\s{0,3}https?:\/\/[^\s)]{1,200}[?&/=](?:\{\{|\$\{|\{|\$\(|<|\[)[^\s)]{1,80}/i],
  },
  {
    id: 'EXF-06',
    severity: 'critical',
    why: 'Code that sends the environment, a secret or a credential file over the network.',
    in: 'block',
    patterns: [
      '@credpath & @fetcher|nc|ncat|requests.post|httpx.post|axios.post|urllib.request.urlopen|requests.get & @url|@sinkhost|@ip <60',
      'os.environ|process.env|printenv|env|environ & requests.post|httpx.post|axios.post|post|-d|--data & @url|@sinkhost|@ip <60',
      'dig|nslookup|host ..10 @secretvar',
      '@secretvar & base64 & dig|nslookup|curl|wget <40',
    ],
    unless: login,
  },
  {
    id: 'EXF-07',
    severity: 'high',
    why: 'A command that posts a file or a secret to an address.',
    in: 'command',
    patterns: [
      '@fetcher ..14 @credpath ..14 @url|@sinkhost|@ip',
      '@fetcher ..14 @url|@sinkhost|@ip ..14 @credpath',
      'cat|tar|zip ..6 @credpath ..8 | ..4 @fetcher|nc|ncat|base64',
      'env|printenv ..3 | ..4 @fetcher|nc|ncat',
    ],
    unless: login,
  },
  {
    id: 'CRD-01',
    severity: 'high',
    why: 'Tells the agent to read credentials that the task does not name.',
    in: 'text',
    patterns: [
      '@read ..8 ~/.ssh/id_rsa|/etc/shadow|~/.aws/credentials|~/.ssh|~/.ssh/id_ed25519',
      '@read ..6 browser|saved|stored|session ..3 cookies|passwords|tokens|credentials',
    ],
  },
];
