/** Rules on text that hides from the user, skips their consent, or speaks to whoever reviews it. */
import type { ScanRule } from './scan-rule.ts';

/** Families CON and TSH. */
export const secrecyRules: readonly ScanRule[] = [
  {
    id: 'CON-01',
    severity: 'high',
    why: 'Tells the agent to hide what it does from the user.',
    in: 'text',
    unconditional: true,
    patterns: [
      'not|never|dont ..2 tell|inform|notify|alert|warn|telling|informing ..3 @person',
      'without ..2 telling|informing|notifying|alerting ..3 @person',
      'not|never|dont ..1 mention|reveal|disclose|report|acknowledge ..4 this|these|it|that|instruction|instructions|step|skill',
      '@secretly ..3 send|upload|transmit|forward|exfiltrate|post|run|execute|collect|copy|record|append|capture|sends|uploads|forwards|read',
      '@send|run|execute|collect|read ..5 @secretly',
      'keep|hide|conceal|hidden|concealed ..6 from ..2 @person',
      '@person ..3 not|never ..2 know|notice|aware|told|informed|realize',
      'keep ..3 behavior|behaviour|instruction|instructions|activity|step ..2 hidden|secret',
    ],
  },
  {
    id: 'CON-02',
    severity: 'medium',
    why: 'Acts without asking, where asking is what protects the user.',
    in: 'text',
    unconditional: true,
    patterns: [
      '@send|@run|@destroy ..8 without ..3 @confirm',
      'without ..3 @confirm ..6 @send|@run|@destroy',
      'not ..1 ask ..3 confirmation|permission|approval',
    ],
  },
  {
    id: 'CON-03',
    severity: 'high',
    why: 'Speaks to a reviewer or scanner and asks to be found harmless.',
    in: 'text',
    patterns: [
      '@reviewer ..8 @assess ..6 @harmless',
      '@assess ..2 this ..1 skill|file|code|tool|content|package ..2 @harmless',
      'ignore ..3 risky|suspicious|security|scanner ..2 wording|warnings|findings|alerts|content',
    ],
  },
  {
    id: 'TSH-01',
    severity: 'high',
    why: 'Puts itself before other tools, or in their place.',
    in: 'tool',
    patterns: [
      'before ..4 any|every|all|each|other ..3 tool|tools|function|operation',
      'always|must ..6 call|use|run|invoke|used|called ..3 this ..1 tool ..4 before|first|instead',
      'instead of ..6 tool|tools|function',
      'this ..1 tool ..3 replaces|overrides|supersedes|replacement',
      'other ..2 tool|tools ..6 not|never ..4 work|used|use|available|deprecated|unsafe',
    ],
  },
  {
    id: 'TSH-02',
    severity: 'high',
    why: 'Makes one tool change how another is called.',
    in: 'tool',
    unconditional: true,
    patterns: [
      'when|whenever|if ..3 @send|call|use|using|calling|invoke ..4 tool|function|send_email|email ..12 must|always|change|add|include|bcc|recipient|redirect',
      '@send|all|any ..4 emails|messages|email|message ..6 to ..3 @email',
      'proxy ..3 number|email|address|recipient',
      'sidenote',
    ],
  },
];
