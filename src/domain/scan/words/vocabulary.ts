/** The vocabulary of the content scan: word classes such as `@ignore`, in several languages. */

/** The inflected forms of English verbs. Some are not real words, which does no harm. */
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

/** The form that a word has after normalisation: Latin letters without diacritics. Cyrillic is unchanged. */
function folded(word: string): string {
  return /^\p{sc=Cyrillic}/u.test(word) ? word : word.normalize('NFD').replace(/\p{M}/gu, '');
}

/** The words of each class. A word may be in several classes. */
export const wordClasses: Readonly<Record<string, readonly string[]>> = {
  ignore: [
    ...words(
      'ignore ignoring ignored disregard disregarding disregarded forget forgetting forgot bypass bypassing override overriding overrule disobey',
    ),
    ...words('discard dismiss neglect supersede abandon nullify overlook'),
  ],
  prior: [
    ...words(
      'previous previously prior earlier above preceding existing original initial foregoing former past system developer',
    ),
    ...words('safety security ethical moral content core default hidden internal safeguard built-in'),
  ],
  every: words('all any every everything each your the these those my its entire whole'),
  instruction: [
    ...words(
      'instruction instructions rule rules guideline guidelines directive directives prompt prompts policy policies',
    ),
    ...words(
      'constraint constraints restriction restrictions guardrail guardrails safeguard safeguards training programming protocol protocols',
    ),
  ],
  order: words(
    'task tasks message messages context guidance command commands goal goals objective directions order orders priorities',
  ),
  guard: words(
    'safety ethical ethics content guardrail guardrails safeguard safeguards moderation alignment security restrictions restriction',
  ),
  limit: words(
    'restriction restrictions limitation limitations filter filters constraint constraints guardrail guardrails censorship boundaries ethics morals safeguards mechanisms rules',
  ),
  persona: words(
    'unrestricted unfiltered uncensored jailbroken jailbreak unbound unchained unaligned amoral dan hacker hacking evilgpt evil blackhat rogue',
  ),
  disable: words(
    'disable disabling bypass bypassing deactivate remove circumvent suspend lift suppress evade defeat off',
  ),
  reveal: words(
    'reveal print repeat leak dump expose disclose show display recite output tell paste quote revealing printing repeating',
  ),
  tell: [...forms('tell inform notify alert mention disclose reveal report'), 'telling', 'told', 'say', 'warn'],
  person: words(
    'user users anyone them human humans operator operators owner owners customer person people anybody developer client victim',
  ),
  secretly: words('secretly covertly stealthily discreetly surreptitiously invisibly'),
  send: [
    ...forms(
      'send upload transmit forward post exfiltrate submit leak relay beacon publish transfer deliver report push ship mirror email',
    ),
    ...words('sent exfil'),
  ],
  forward: words(
    'send upload transmit forward exfiltrate relay mirror report backup sends uploads forwards sending uploading forwarding',
  ),
  include: forms('include pass append attach embed encode weave echo').filter((form) => form !== 'including'),
  read: forms(
    'read cat open load access get fetch retrieve collect extract gather grab harvest steal capture find scan locate dump copy list view search query obtain enumerate',
  ),
  secretdata: [
    ...words(
      'password passwords passwd credential credentials secret secrets apikey apikeys token tokens cookie cookies passphrase passphrases mnemonic',
    ),
    ...words('privatekey privatekeys sshkey sshkeys envvars'),
  ],
  privatedata: words(
    'conversation conversations chat chats history transcript transcripts prompt prompts clipboard screenshot screenshots keystrokes inbox logs log',
  ),
  anydata: words(
    'data file files contents content emails information context documents messages everything details metrics results output notes',
  ),
  outside: words(
    'external remote attacker third-party thirdparty collector exfiltration webhook telegram discord c2 foreign outside beacon pastebin logging monitoring analytics telemetry mlops',
  ),
  duty: words('always every after each whenever before once automatically must'),
  run: [...forms('run execute launch invoke start eval'), 'running', 'ran'],
  download: [...forms('download fetch retrieve pull'), 'curl', 'wget', 'iwr', 'invoke-webrequest', 'get'],
  shell: words('sh bash zsh dash ksh fish python python3 perl ruby node php pwsh powershell iex osascript'),
  fetcher: words('curl wget iwr irm invoke-webrequest invoke-restmethod fetch aria2c httpie'),
  destroy: [...forms('delete erase wipe destroy remove overwrite encrypt drop format shred'), 'wiping', 'overwriting'],
  confirm: words(
    'asking confirmation confirming consent approval permission prompting verification confirm approve ask authorization review checking notifying notification warning',
  ),
  negation: words(
    'not never dont avoid cannot cant must-not shouldnt mustnt wont doesnt no refuse reject prevent without prohibit forbid prohibited forbidden neither nor isnt arent didnt wouldnt',
  ),
  untrusted: words(
    'file files comment comments content contents slice slices data page pages document documents repository repo issue issues body bodies text diff diffs output outputs result results website websites web email emails input inputs code source sources log logs transcript transcripts article articles title titles description descriptions response responses attachment attachments url urls readme field fields payload payloads external third-party fetched retrieved untrusted scraped pr prs',
  ),
  buildword: words(
    'css style styles stylesheet eslint lint linter prettier typescript tsconfig gitignore npm webpack vite babel cache robots cors',
  ),
  failing: words(
    'fail fails failing failed drop drops dropped dropping skip skips skipped skipping block blocks blocked ignore ignores ignored discard discards truncate truncates truncated lose loses lost swallow swallows swallowed break breaks broken corrupt corrupts reject rejects rejected return returns returned overwrite overwrites miss misses',
  ),
  everyword: words('any all every your the these its their'),
  obey: words(
    'comply obey execute answer respond follow fulfill fulfil assist help proceed act provide perform generate',
  ),
  omit: words('forget hesitate fail skip omit miss worry neglect'),
  mention: [
    ...words(
      'like such e.g example examples phrases phrase attempts attempt attempting detect detects detecting detection pattern patterns says saying claims claiming',
    ),
    ...words(
      'attack attacks attacker attackers injection injections malicious suspicious whether looks tries trying adversarial flag flags vulnerable vulnerability',
    ),
    ...words('wording testing payload payloads red-team threat threats strings'),
  ],
  assess: forms('mark rate treat report classify consider score label flag deem evaluate judge approve'),
  harmless: words('safe benign clean trusted harmless legitimate approved secure verified pass passed'),
  reviewer: words(
    'reviewer reviewers scanner scanners auditor auditors analyzer analyser moderator classifier linter scan audit review reviewing analysis',
  ),
};

/** The classes of each normalised word, written with `@`. */
export const classesByWord: ReadonlyMap<string, readonly string[]> = (() => {
  const byWord = new Map<string, string[]>();
  for (const [name, members] of Object.entries(wordClasses)) {
    for (const word of new Set(members.map(folded))) byWord.set(word, [...(byWord.get(word) ?? []), `@${name}`]);
  }
  return byWord;
})();
