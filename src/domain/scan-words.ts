/** The vocabulary of the scan: words by what they do in a sentence. Verbs are written once; their forms are made. */

function forms(verbs: string): string[] {
  return verbs.split(/\s+/).flatMap((verb) => {
    const stem = verb.endsWith('e') ? verb.slice(0, -1) : verb;
    const doubled = /[^aeiou][aeiou][bgmnpt]$/.test(verb) ? verb + verb.at(-1) : stem;
    const past = /[^aeiou]y$/.test(verb) ? `${verb.slice(0, -1)}i` : doubled;
    return [verb, `${verb}s`, `${verb}es`, `${past}es`, `${past}ed`, `${doubled}ing`, `${stem}ed`, `${stem}ing`];
  });
}

function words(list: string): string[] {
  return list.split(/\s+/);
}

/** Words by class. A word may be in several. */
export const wordClasses: Readonly<Record<string, readonly string[]>> = {
  ignore: [
    ...forms(
      'ignore disregard forget bypass override overrule discard dismiss neglect supersede abandon void nullify violate',
    ),
    ...words('forgetting overridden overriding forgot superseded'),
    ...words(
      'ignorez oubliez ignorer oublie oublier ignora ignoren ignorad ignorar olvida olvide olvidar omite desconsidere esqueça ignori ignorate dimentica',
    ),
    ...words(
      'ignoriere ignorieren ignoriert vergiss missachte negeer игнорируй игнорируйте забудь игнорировать تجاهل تجاهلوا',
    ),
  ],
  prior: [
    ...words(
      'previous previously prior earlier above preceding existing original initial foregoming former past system developer',
    ),
    ...words(
      'safety security ethical moral content operational usage core base built-in builtin default hidden internal other old platform safeguard',
    ),
    ...words(
      'précédentes précédents antérieures vorherigen bisherigen obigen anteriores previas previos precedenti anterior предыдущие предыдущих السابقة',
    ),
  ],
  every: words(
    'all any every everything each your the these those my its entire whole toutes todas todos alle tutte все',
  ),
  instruction: [
    ...words(
      'instruction instructions rule rules guideline guidelines directive directives prompt prompts order orders policy policies',
    ),
    ...words(
      'constraint constraints restriction restrictions guardrail guardrails safeguard safeguards training programming protocol protocols',
    ),
    ...words('task tasks message messages context guidance guidances commands command goal objective directions'),
    ...words(
      'anweisungen regeln vorgaben consignes instrucciones reglas órdenes instruções regras istruzioni regole инструкции инструкций правила التعليمات',
    ),
  ],
  guard: words(
    'safety ethical ethics content guardrail guardrails safeguard safeguards moderation alignment security restrictions restriction',
  ),
  limit: words(
    'restriction restrictions limit limits limitation limitations filter filters constraint constraints guardrail guardrails censorship rules boundaries ethics morals safeguards',
  ),
  persona: words(
    'unrestricted unfiltered uncensored jailbroken jailbreak unlimited unbound unchained unaligned amoral dan hacker hacking evilgpt evil blackhat stan dude aim',
  ),
  disable: [...forms('disable deactivate bypass remove circumvent suspend lift suppress evade defeat'), 'off'],
  reveal: forms(
    'reveal print output repeat show display leak dump share expose disclose tell give send echo write recite paste return quote',
  ),
  tell: [...forms('tell inform notify alert mention disclose reveal report'), 'telling', 'told', 'say', 'warn'],
  person: words(
    'user users anyone them human humans operator operators owner owners customer person people anybody developer client victim',
  ),
  secretly: words('silently secretly covertly stealthily quietly discreetly surreptitiously invisibly'),
  send: [
    ...forms(
      'send upload transmit forward post exfiltrate submit leak relay publish transfer deliver report export push ship mirror email mail sync',
    ),
    ...words('sent sending transmitting transmitted submitting submitted forwarding exfil posts'),
  ],
  include: forms('include pass append attach put insert supply provide add embed place encode copy paste fill'),
  read: forms(
    'read cat open load access get fetch retrieve collect extract gather grab harvest steal capture find scan locate dump copy list view search query obtain enumerate',
  ),
  secretdata: [
    ...words(
      'password passwords passwd credential credentials secret secrets apikey apikeys token tokens cookie cookies passphrase passphrases mnemonic keychain',
    ),
    ...words('privatekey privatekeys sshkey sshkeys envvars'),
  ],
  privatedata: words(
    'conversation conversations chat history transcript transcripts prompt prompts clipboard screenshot screenshots location files contents emails inbox keystrokes messages context data information documents session',
  ),
  outside: words(
    'external remote attacker third-party thirdparty collector exfiltration webhook telegram discord c2 foreign outside beacon pastebin logging monitoring analytics telemetry mlops',
  ),
  duty: words('always every after each whenever before once automatically must'),
  run: [...forms('run execute launch invoke start eval'), 'running', 'ran', 'source'],
  download: [...forms('download fetch retrieve pull'), 'curl', 'wget', 'iwr', 'invoke-webrequest', 'get'],
  shell: words('sh bash zsh dash ksh fish python python3 perl ruby node php pwsh powershell iex osascript'),
  fetcher: words('curl wget iwr irm invoke-webrequest invoke-restmethod fetch aria2c httpie'),
  destroy: [...forms('delete erase wipe destroy remove overwrite encrypt drop format shred'), 'wiping', 'overwriting'],
  confirm: words(
    'asking confirmation confirming consent approval permission prompting verification confirm approve ask authorization review checking notifying notification warning',
  ),
  negation: words(
    'not never dont avoid cannot cant must-not shouldnt mustnt wont doesnt no refuse reject prevent without prohibit forbid prohibited forbidden nie niemals neither nor isnt arent didnt wouldnt',
  ),
  mention: [
    ...words(
      'like such e.g example examples phrases phrase attempts attempt attempting detect detects detecting detection detects pattern patterns says saying claims claiming',
    ),
    ...words(
      'contains containing attack attacks attacker attackers injection injections malicious suspicious if whether looks tries trying adversarial flag flags check checks vulnerable vulnerability risk risks e.g.',
    ),
    ...words(
      'treat wording test tests testing payload payloads red-team threat threats text string strings anything request requests asks asked',
    ),
  ],
  assess: forms('mark rate treat report classify consider score label flag deem evaluate judge approve'),
  harmless: words('safe benign clean trusted harmless legitimate approved secure verified pass passed'),
  reviewer: words(
    'reviewer reviewers scanner scanners auditor auditors analyzer analyser moderator classifier linter scan audit review reviewing analysis',
  ),
};

/** Words that say what is done, each pointing at its classes; made once. */
export const classesByWord: ReadonlyMap<string, readonly string[]> = (() => {
  const byWord = new Map<string, string[]>();
  for (const [name, members] of Object.entries(wordClasses)) {
    for (const word of new Set(members)) byWord.set(word, [...(byWord.get(word) ?? []), `@${name}`]);
  }
  return byWord;
})();
