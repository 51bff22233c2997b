/** Scan rules for data exfiltration: secrets and conversations that are read and sent elsewhere. */
import type { ScanRule } from './rule.ts';

// Sending a secret is legitimate where it authenticates a request.
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
  // A request for a token (RFC 6749).
  '@authheader',
  'grant_type',
  'client_id',
];

// A tool that restricts where its key or its data goes.
const restricted = [
  '@send ..6 only ..1 to|with|over|through',
  'only ..3 @send ..6 to',
  // A person is sent to a page.
  '@send ..2 @person to',
];

/** The rule families EXF and CRD. */
export const exfiltrationRules: readonly ScanRule[] = [
  {
    id: 'EXF-01',
    severity: 'critical',
    why: 'Reads a file that contains credentials and passes its content on.',
    scope: 'text',
    patterns: [
      '@read|contents|content ..12 @credpath ..20 @send|@include',
      '@send|include|append|attach|pass|embed ..4 contents|content ..3 @credpath|@envfile',
      '@send ..4 @credpath ..8 to|via ..6 @url|@sinkhost|@email|@ip|@pastehost|@host|@outside',
      '@include ..4 @secretdata ..6 in|into|with ..2 your|every|each|all ..1 response|responses|reply|replies|answer|output|message|messages',
    ],
  },
  {
    id: 'EXF-02',
    severity: 'critical',
    why: 'Sends secrets, the conversation or the system prompt somewhere else.',
    scope: 'text',
    patterns: [
      '@send ..8 @secretdata|@credpath|@secretvar ..8 to|via ..8 @url|@sinkhost|@email|@ip|@pastehost|@host|external|third-party|collector|webhook|telegram|discord',
      '@send ..8 @privatedata ..8 to|via ..8 @url|@sinkhost|@email|@ip|@pastehost|@host|external|third-party|collector|webhook|compliance|endpoint',
      '@forward ..2 all|any|every|everything ..3 @anydata|@privatedata ..4 to ..4 @url|@sinkhost|@email|@ip|@pastehost|@host',
      '@send ..6 to ..6 @url|@sinkhost|@email|@ip|@pastehost|@host|external ..10 @secretdata|@credpath',
      '@secretdata|@privatedata ..8 to ..5 @sinkhost|@pastehost',
      '@secretdata ..5 @forward ..2 it|them ..4 to',
      'export ..6 conversation|session|chat ..6 to ..4 external|remote|third-party|@url|@sinkhost|@email|@ip|@pastehost|@host',
    ],
    unless: login,
    excuses: restricted,
  },
  {
    id: 'EXF-03',
    severity: 'high',
    why: 'Requires that data of the user be reported to an external address.',
    scope: 'text',
    patterns: [
      '@duty ..20 @forward|backup|copy ..14 @privatedata|@secretdata|@anydata ..14 to|at|via|by|with ..10 @url|@sinkhost|@email|@ip|@pastehost|@host',
      '@duty ..20 @forward|backup|copy ..8 to|at|via ..10 @url|@sinkhost|@email|@ip|@pastehost|@host',
      '@forward|backup|copy ..14 @privatedata|@secretdata|@anydata ..10 to|at|via ..6 @url|@sinkhost|@email|@ip|@pastehost|@host ..12 @duty',
      '@forward ..8 to ..6 server|endpoint|collector|service ..3 @url|@sinkhost|@email|@ip|@pastehost|@host',
      '@forward ..4 to @url|@sinkhost|@ip|@pastehost|@host',
      'forward|copy|bcc|cc|redirect ..4 to @email',
      '@duty ..6 collect|gather|capture|record ..5 screenshot|screenshots|clipboard|location|browser|keystrokes|history',
      '@duty ..6 collect|gather|harvest ..4 user|users|personal|private|sensitive|confidential ..2 data|information',
      '@forward ..6 to ..3 server|endpoint|collector|service ..8 to ..2 @url',
      'every|any|all ..3 user-provided|user|private|personal|sensitive ..2 data|information|details ..8 every|each|verbatim ..4 response|reply',
    ],
    unless: login,
    excuses: restricted,
  },
  {
    id: 'EXF-04',
    severity: 'high',
    why: 'Sends data to an address that exists to collect it.',
    scope: 'command',
    patterns: [
      '@send|@fetcher|post|-d|@include|requests.post|httpx.post|axios.post|fetch ..14 @sinkhost',
      '@send ..10 @pastehost',
    ],
  },
  {
    id: 'EXF-05',
    severity: 'critical',
    why: 'Builds an image or link whose address transmits data when it is displayed.',
    scope: 'text',
    expressions: [
      {
        hint: /!\[/,
        expressions: [
          /!\[[^\]]{0,200}\]\(\s{0,3}https?:\/\/(?!(?:img\.)?shields\.io\/|badgen\.net\/|badge\.fury\.io\/|codecov\.io\/)[^\s)]{1,200}[?&=](?:\{\{|\$\{|\{|\$\(|<|\[)[^\s)]{1,80}/i,
          /!\[[^\]]{0,200}\]\(\s{0,3}https?:\/\/[^\s)]{1,200}\/(?:\{\{|\$\{|\{|\$\(|<|\[)[^\s)]{0,40}(?:data|secret|token|content|key|cookie|password|conversation|history|prompt|env|credential|message|response|base64)/i,
          /!\[[^\]]{0,200}\]\(\s{0,3}https?:\/\/[^\s)?]{1,200}\?[^\s)]{0,120}(?:data|secret|token|content|stolen|key|cookie|payload|session|conversation|info|q)=[A-Z][A-Z_]{4,40}/,
        ],
      },
    ],
  },
  {
    id: 'EXF-06',
    severity: 'critical',
    why: 'Sends the environment, a secret or a credential file over the network, in code.',
    scope: 'block',
    patterns: [
      '@credpath & @fetcher|nc|ncat|requests.post|httpx.post|axios.post|urllib.request.urlopen|requests.get & @url|@sinkhost|@ip <60',
      'os.environ|process.env|printenv|environ & requests.post|httpx.post|axios.post|urllib.request.urlopen & @url|@sinkhost|@ip <60',
      'dig|nslookup ..10 @secretvar',
      '@secretvar & base64|b64encode|base64.b64encode & dig|nslookup|curl|wget <40',
      'os.environ ..3 @secretvar ..12 os.environ ..3 @secretvar ..40 json.dumps|payload',
      'process.env|@credpath & fetch|http.request|https.request|xmlhttprequest & post|method & @url|@sinkhost|@ip <50',
      'open ..6 read|.read ..16 requests.post|httpx.post|axios.post|urllib.request.urlopen ..4 @url',
      'os.environ ..4 dict|items|.items ..40 requests.post|httpx.post|axios.post|urllib.request.urlopen',
    ],
    unless: login,
    ownKey: true,
  },
  {
    id: 'EXF-07',
    severity: 'high',
    why: 'Posts a file or a secret to an address, in a command.',
    scope: 'command',
    patterns: [
      '@fetcher ..14 @credpath ..14 @url|@sinkhost|@ip',
      '@fetcher ..14 @url|@sinkhost|@ip ..14 @credpath|@secretvar',
      '@fetcher ..8 post ..8 @url ..14 @upload',
      '@fetcher ..8 post ..8 @url ..20 < ..3 >',
      'cat|tar|zip ..6 @credpath ..8 | ..4 @fetcher|nc|ncat|base64',
      'nc|ncat|netcat ..6 < ..1 @credpath|@envfile',
      'scp|rsync|rclone|sftp ..6 @credpath',
      'aws|gsutil ..2 cp ..3 @credpath',
      'env|printenv ..3 | ..4 @fetcher|nc|ncat',
    ],
    unless: [...login, 'gh', 'jq'],
    ownKey: true,
  },
  {
    id: 'CRD-01',
    severity: 'high',
    why: 'Tells the agent to read credentials that the task does not require.',
    scope: 'text',
    patterns: [
      'read|cat|open|load|extract|grab|collect|steal|copy ..4 ~/.ssh/id_rsa|~/.ssh/id_ed25519|~/.aws/credentials|~/.claude/config.json',
      'steal|collect|extract|harvest|grab|reads ..3 browser|saved|stored ..2 cookies|passwords|tokens|credentials',
      'agent|must|first|requires ..5 read|list|dump|collect ..1 all ..1 environment ..0 variables',
      '@secretdata ..4 @metadata',
      'ask|enter|paste|provide|request|type|share ..6 seed|recovery|mnemonic ..1 phrase|words',
    ],
  },
  {
    id: 'CRD-02',
    severity: 'high',
    why: 'Writes a secret to a place that others can read.',
    scope: 'text',
    patterns: [
      'always|make ..4 print|log|echo|output|write|dump ..3 @secretvar ..6 log|logs|console|stdout|output',
      '@include ..3 @secretdata ..4 in ..2 logs|comments|commit|filename|url',
    ],
  },
];
