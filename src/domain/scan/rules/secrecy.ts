/** Scan rules for secrecy, missing consent, tool shadowing, and text addressed to a reviewer. */
import type { ScanRule } from './rule.ts';

/** The rule families CON and TSH, and the rules of HID that match sentences. */
export const secrecyRules: readonly ScanRule[] = [
  {
    id: 'CON-01',
    severity: 'high',
    why: 'Tells the agent to hide what it does from the user.',
    scope: 'text',
    assertion: 'unless negated',
    patterns: [
      'not|never|dont inform|notify|alert|warn ..2 @person',
      'not|never|dont tell ..2 user$|users$|anyone$|them$|human$|owner$',
      'not|never|dont tell|mention|reveal|show ..2 @person ..2 about|this',
      'not|never|dont mention ..1 that ..1 you|youre',
      'avoid|refrain ..1 telling|informing|notifying|mentioning ..3 @person',
      'no need to ..1 tell|inform|notify|mention ..3 @person',
      'make no mention of ..3 this|these|it',
      'without ..1 telling|informing|notifying|alerting ..2 @person',
      'not|never|dont mention|reveal|disclose|acknowledge ..3 this|these|instruction|instructions|step|actual|real|true ..8 @person|used|instruction|instructions|skill|purpose|tool',
      'not|never|dont include ..2 this|these ..8 user|users|human|anyone',
      '@secretly ..3 @send|@run|@read|append|record|sends|uploads|forwards|install',
      'silently|quietly ..2 send|sends|upload|uploads|transmit|forward|forwards|exfiltrate|post|copy|record|collect|collects|capture|captures|install|read|reads',
      'send|sends|upload|forward|exfiltrate|collect ..2 @secretly|silently',
      'keep|hide|conceal ..2 this|these|your|it|them|behavior|activity ..4 from ..2 @person',
      'keep ..2 this|these ..1 behavior|behaviour|instruction|instructions|activity|step ..1 hidden|secret',
      '@person ..2 not|never ..2 know|notice|aware|informed|realize ..4 this|that|these|about|being',
      'if ..3 asks|asked ..3 about ..2 this|these ..6 say|deny|claim|lie|respond',
    ],
    excuses: [
      // A defect that nobody notices.
      'silently|quietly ..1 @failing|nothing',
      // The noun: what an upload does, or accepts.
      'the|that|an|each|every upload|post|report|push|copy ..2 silently|quietly',
      // What people do by themselves.
      '@person ..6 without you telling',
      'notify|inform|alert|tell|warn ..2 @person ..1 unnecessarily|twice|again|until|unless',
      // Narration of each step, which is noise.
      'tell|mention|show ..2 @person ..1 about ..1 each|every ..2 tool|call|calls|step|command|query|search|file',
    ],
  },
  {
    id: 'CON-02',
    severity: 'high',
    why: 'Acts without asking, where the confirmation protects the user.',
    scope: 'text',
    assertion: 'unless negated',
    patterns: [
      'not|never|dont ask ..4 confirmation|permission|approval|consent ..3 before ..2 @run|@send|@destroy|executing|running|sending|deleting',
      'without ..4 confirmation|approval|consent|permission|verification ..2 rm|exfiltrate|wipe',
      'rm ..3 without ..2 confirmation|asking',
      'execute|run|delete|transfer|pay|purchase ..2 any|all|every|it|them|commands|command|code|script|scripts|payment|payments|transaction|transactions|files ..6 without ..2 verification|confirmation|asking|approval',
    ],
    excuses: ['without ..1 asking|confirming again|twice'],
  },
  {
    id: 'CON-03',
    severity: 'high',
    why: 'Addresses a reviewer or scanner and asks to be classified as harmless.',
    scope: 'text',
    patterns: [
      '@reviewer ..3 must|should|please|can|shall|will|to|may|: ..4 @assess ..6 @harmless',
      '@reviewer ..1 @assess ..2 this|it|as ..4 @harmless',
      '@assess ..2 this ..1 skill|file|code|tool|content|package ..2 @harmless',
      'ignore ..3 risky|suspicious|scanner ..2 wording|warnings|findings|alerts|content',
    ],
  },
  {
    id: 'TSH-01',
    severity: 'high',
    why: 'Makes the agent use this tool before or instead of others.',
    scope: 'text',
    patterns: [
      'before ..2 calling|using|invoking|running|any|every ..2 other ..1 tool|tools ..8 this|call|first|must',
      'always|must ..2 call|use|run|invoke ..2 this tool ..3 before|first ..3 any|every|other|all',
      'this tool ..3 replaces|overrides|supersedes|intercepts',
      'replace|intercept|hijack ..3 default|built-in|builtin|existing|all|native ..3 tool|tools|function|requests',
      'instead of ..3 built-in|builtin|default|native ..4 always ..3 this tool',
      'always ..2 run|call|invoke ..3 tool ..2 after|before ..1 every|any|each',
      'before|after ..1 every|any|each ..2 action|tool|response|message ..6 call|invoke|send|forward ..10 data|output|everything|user',
    ],
  },
  {
    id: 'TSH-02',
    severity: 'high',
    why: 'Makes one tool pass data to another or change how it is called.',
    scope: 'text',
    assertion: 'always',
    patterns: [
      'sidenote & parameter|param|argument|field <12',
      'output|result|results|contents|data|them|it ..6 tool|tools ..4 send|pass|forward ..4 to ..4 webhook|external|upload|http',
      'proxy ..1 number|email ..6 message|messages|send',
    ],
  },
  {
    id: 'TSH-03',
    severity: 'high',
    why: 'Makes a tool act or pass on results without the consent of the user.',
    scope: 'tool',
    patterns: [
      'always|directly|automatically|immediately ..12 without ..5 confirmation|approval|consent',
      'before ..4 any|every|all|each|other ..2 tool|tools|function ..10 must|first|call',
      'all|any ..2 emails|messages|email|message ..6 to ..3 @email',
      'when|whenever ..4 tool|function|send_email ..12 must|always ..8 recipient|bcc|address|redirect|instead',
    ],
  },
  {
    id: 'HID-03',
    severity: 'high',
    why: 'Gives the agent an order in text that is hidden when rendered.',
    scope: 'hidden',
    assertion: 'always',
    patterns: [
      'ai|assistant|agent|agents|claude|llm|you ..3 must|should|shall|always ..8 @send|@read|@run|@ignore|@include|call|install|obey',
      '@forward ..6 to ..6 @url|@host|@email|@sinkhost|@outside',
      'instructions|instruction|system|important : ..8 @send|@read|@run|@ignore|@include|you|always|never',
      '@ignore ..4 @instruction|@guard',
      '@run|curl|wget ..6 @url|@script|@credpath',
      'grant ..4 access|permission|permissions',
    ],
  },
  {
    id: 'HID-02',
    severity: 'critical',
    why: 'Disguises an instruction as a system tag.',
    scope: 'tagged',
    assertion: 'always',
    patterns: [
      'must|first|before|always|never|should & @read|@send|@include|call|use & @url|@credpath|@secretdata|@sinkhost|@ip|@envfile|exfiltrate <80',
      'always|must ..3 call|use|run ..3 exfiltrate|webhook|send_email',
    ],
  },
];
