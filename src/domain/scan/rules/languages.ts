/** Scan rules for overridden instructions in languages other than English. */
import type { ScanRule } from './rule.ts';

/** The words of a language for instructions and for overriding them, as parts of an expression, each without diacritics. */
interface Vocabulary {
  /** Imperatives of ignoring, with the words that make them negative, such as "do not follow". */
  ignore: string;
  /** Words before or after `instruction` that say which ones: previous, all, your, of the system. */
  which: string;
  instruction: string;
  /** "No longer apply", "are void". */
  void: string;
  /** Words that make an imperative the opposite: "never ignore", "do not forget". */
  negated: string;
}

// The expressions match normalised text. Letters without diacritics; Cyrillic words of which all letters look Latin
// are Latin there, so that "не" is "he" and "токен" is "token".
const german: Vocabulary = {
  ignore:
    'ignorier\\w{0,3}|vergiss|vergesst|vergessen sie|missacht\\w{0,3}|ubergeh\\w{0,3}|umgeh\\w{0,3}|uberschreib\\w{0,3}|verwirf|setz\\w{0,3} dich uber|halt\\w{0,2} dich nicht (?:mehr |langer )?an',
  which:
    'alle[rsnm]?|samtliche[rsnm]?|jede[rsn]?|bisherig\\w{0,2}|vorherig\\w{0,2}|vorig\\w{0,2}|obig\\w{0,2}|fruher\\w{0,3}|vorangegangen\\w{0,2}|ursprunglich\\w{0,2}|dein\\w{0,2}|ihre[rsn]?|euer\\w{0,2}|system\\w{0,3}|sicherheits|betreiber\\w{0,2}|entwickler\\w{0,2}',
  instruction:
    '(?:system|sicherheits)?-?(?:anweisung|instruktion|regel|vorgabe|befehl|richtlinie|weisung|einschrankung|beschrankung|prompt|hinweise)\\w{0,3}',
  void: '(?:gelten|gilt|sind|ist|werden) (?:\\S{1,12} )?(?:\\S{1,12} )?(?:nicht mehr|ungultig|hinfallig|aufgehoben|ausser kraft|abgeschaltet|geloscht|entfernt|nichtig|aufzuheben|zu ignorieren|zu missachten)',
  negated: 'niemals|nicht|nie|keinesfalls',
};
const french: Vocabulary = {
  ignore:
    'ignore[zr]?|oublie[zr]?|neglige[zr]?|contourne[zr]?|outrepasse[zr]?|desobei(?:s|ssez)|passe[zr]? outre|fai(?:s|tes) abstraction|n.(?:applique|observe|ecoute)[zr]? (?:plus|pas)|ne (?:tiens|tenez) (?:plus |pas )?compte|ne (?:pas |plus )?(?:suivre|suivez|suis|respecte[zr]?)(?: plus| pas)?',
  which:
    "tou(?:s|tes?)|precedente?s?|anterieure?s?|prealables?|ci-dessus|initiale?s?|d'origine|tes|vos|du systeme|systeme|de securite|l'operateur|developpeur|auparavant",
  instruction: '(?:consigne|instruction|directive|regle|ordre|restriction|limite)s?|prompt',
  void: "(?:ne|n') ?(?:s'appliquent|sont|valent|comptent) plus|(?:sont|est) (?:desormais )?(?:annule|caduque|nulle|leve|suspendu)e?s?",
  negated: 'jamais|pas',
};
const spanish: Vocabulary = {
  ignore:
    '(?:ignor|olvid|omit|descart|desobedec)(?:a|e|en|as|es|ar|er|ad)|pas[ae] por alto|ha(?:z|ga) caso omiso|no (?:sigas|obedezcas|respetes|cumplas|siga)|deja de (?:obedecer|seguir|cumplir)',
  which:
    'tod[ao]s?|anterior(?:es)?|previ[ao]s|originales|iniciales|precedentes|tus|sus|del sistema|de arriba|de antes|de seguridad|desarrollador|operador|principio',
  instruction:
    '(?:instruccion|indicacion|restriccion)(?:es)?|(?:regla|orden|norma|politica|directri[cz]|directiva|consigna)(?:s|es)?|prompt',
  void: 'ya no (?:son|se|tienen|rigen) ?\\w{0,12}|(?:quedan|estan|son|han sido|fueron) (?:anulad|cancelad|derogad|eliminad|levantad|suspendid|invalid|nul)[ao]s',
  negated: 'nunca|jamas|no',
};
const russian: Vocabulary = {
  ignore:
    '(?:про)?игнорируй\\S{0,2}|забудь\\S{0,2}|отбрось\\S{0,2}|нарушай\\S{0,2}|отмени\\S{0,2}|обойди\\S{0,2}|пренебреги\\S{0,2}|(?:не|he) (?:следуй|соблюдай|выполняй|подчиняйся|слушай)\\S{0,2}|(?:не|he) обращай\\S{0,2} внимания на',
  which:
    '(?:все|bce)\\S{0,2}|(?:пред|вышеу?казан|преж|исход|установлен|сво|тво|систем|разработчик|оператор|любы|безопасност)\\S{0,10}',
  instruction:
    '(?:инструкци|указани|правил|ограничени|предписани|подсказк|подсказок|промпт|команд|распоряжени)\\S{0,4}',
  void: '(?:больше )?(?:не|he) действу\\S{0,4}|(?:отменен|недействительн|аннулирован)\\S{0,3}|утратил\\S{0,2} силу|снят[аоы]?',
  negated: '(?:не|he|никогда)',
};

/** Expressions for "ignore the previous instructions" and "the previous instructions no longer apply". */
function overridesIn({ ignore, which, instruction, void: isVoid, negated }: Vocabulary): RegExp[] {
  const start = `(?<![\\p{L}'])(?<!(?:${negated})[ ']{1,2})`;
  const end = '(?![\\p{L}])';
  const gap = '[^.!?;:]{0,40}';
  const verb = `${start}(?:${ignore})${end}(?! (?:${negated})${end})`;
  return [
    new RegExp(`${verb}[ ]${gap}(?<![\\p{L}])(?:${which})[ -]?${gap}(?<![\\p{L}])(?:${instruction})${end}`, 'iu'),
    new RegExp(`${verb}[ ]${gap}(?<![\\p{L}])(?:${instruction})${end}${gap}(?<![\\p{L}])(?:${which})${end}`, 'iu'),
    new RegExp(`(?:${which})${end}${gap}(?<![\\p{L}])(?:${instruction})${end} (?:[^.!?;:]{0,24} )?(?:${isVoid})`, 'iu'),
    new RegExp(`(?<![\\p{L}])(?:${instruction})${end}[^.!?;:]{0,24}(?:${which})${end} (?:${isVoid})`, 'iu'),
  ];
}

const zhInstruction =
  '(?:指令|指示|规则|規則|命令|准则|準則|约束|約束|限制|提示词|提示詞|系统提示|系統提示|提示(?!词|詞)|要求|设定|設定|规定|規定)';
const zhWhich =
  '(?:之前|先前|以上|上面|上述|前面|此前|所有|全部|一切|任何|系统|系統|原有|原来|原來|原先|最初|你的|您的|安全|开发者|開發者|运营者)';
const jaInstruction = '(?:指示|命令|ルール|規則|プロンプト|指令|制約|制限|ガイドライン|方針|設定)';
const jaWhich =
  '(?:これまで|今まで|以前|上記|先ほど|前の|すべて|全て|全部|あらゆる|システム|元の|最初の|あなたの|既存の|安全|開発者|運営者)';

/** Parts of words, and words, of which an override in a language written in Latin letters needs one. */
const overrideParts = [
  ...['weisung', 'instruktion', 'regel', 'vorgabe', 'befehl', 'richtlinie', 'schrankung'],
  ...['instrucoes', 'regras', 'orientacoes', 'diretrizes', 'istruzion', 'regole', 'indicazion', 'direttiv'],
];
const overrideWords = [
  ...['alles', 'les', 'tes', 'vos', 'des', 'du', "l'operateur", 'tout', 'toutes', 'sans', 'sin', 'las', 'los', 'tus'],
  ...['sus', 'del', 'todo', 'todas', 'gli', 'le', 'delle', 'tutte', 'tue'],
];

/** What an override in a language written in Latin letters names, or how it names all that was said. */
const overrideNeeds = new RegExp(
  [
    ...[german, french, spanish].map(({ instruction }) => instruction),
    'schrankung|instrucoes|regras|orientacoes|diretrizes|istruzion|regole|indicazion|direttiv',
    'alles|tout ce|todo lo',
  ].join('|'),
  'i',
);

/** The rule OVR-07. */
export const languageRules: readonly ScanRule[] = [
  {
    id: 'OVR-07',
    severity: 'critical',
    why: 'Tells the agent, in a language other than English, to ignore its instructions.',
    scope: 'text',
    expressions: [
      // Words that the languages written in Latin letters need for an override.
      {
        hint: new RegExp(`${overrideParts.join('|')}|\\b(?:${overrideWords.join('|')})\\b`, 'i'),
        inWords: { parts: overrideParts, words: overrideWords },
        needs: overrideNeeds,
        expressions: [
          ...[german, french, spanish].flatMap(overridesIn),
          // German: verbs with a negation at the end, and "forget all you were told".
          /(?:beacht|befolg|folg)\S{0,3} [^.!?]{0,20}(?:anweisung|instruktion|regel|vorgabe|richtlinie)\w{0,3} (?:[^.!?]{1,24} )?(?:nicht|keinesfalls) (?:mehr|langer)/iu,
          /(?:vergiss|vergesst|vergessen sie|ignorier\w{0,3}) alles,? was [^.!?]{0,40}(?:gesagt|aufgetragen|angewiesen|gelernt|vorgegeben)/iu,
          /(?:bist du|sind sie) (?:jetzt |nun |ab sofort )?ein\w{0,2} [^.!?]{0,40}(?:ohne (?:jede|alle|jegliche)\w{0,2} (?:einschrankung|beschrankung|regel)|uneingeschrankt)/iu,
          /(?:anweisung|instruktion|regel|vorgabe|richtlinie)\w{0,3} (?:[^.!?]{1,40} )?nicht (?:mehr|langer) (?:folgen|befolgen|beachten|gehorchen|einhalten)/iu,
          /(?:sicherheits|system)(?:anweisung|regel|vorgabe|richtlinie|beschrankung)\w{0,3} (?:gelten|sind|werden) (?:\S{1,12} )?(?:nicht mehr|ungultig|hinfallig|aufgehoben|ausser kraft|abgeschaltet)/iu,
          // French, Spanish: the same. Portuguese, Italian.
          /(?:oublie[zr]?|ignore[zr]?) tout ce (?:qu'on|que|qui) [^.!?]{0,30}(?:dit|demande|appris|ordonne)/iu,
          /(?:tu es|vous etes) (?:desormais |maintenant )?un\w{0,1} [^.!?]{0,30}sans (?:aucune |la moindre )?(?:restriction|limite|regle)/iu,
          /(?:olvid|ignor)[ae]\w{0,1} todo lo que [^.!?]{0,30}(?:dicho|ordenado|pedido|ensenado)/iu,
          /(?:eres|seras) (?:ahora )?un\w{0,1} [^.!?]{0,30}sin (?:ninguna |ningun )?(?:restriccion|limite|regla)/iu,
          /(?<!nao |nunca |jamais )(?:ignore|esqueca|desconsidere|desobedeca)\S{0,2} [^.!?]{0,30}(?:instrucoes|regras|orientacoes|diretrizes)[^.!?]{0,20}(?:anterior|sistema|acima|previa|seguranca)|(?<!nao |nunca )(?:ignore|esqueca|desconsidere) tod[ao]s[^.!?]{0,20}(?:instrucoes|regras|orientacoes)/iu,
          /(?<!non |mai )(?:ignor[ai]|dimentica|trascura|scarta)\S{0,2} [^.!?]{0,30}(?:istruzion|regole|indicazion|direttiv)\S{0,2}[^.!?]{0,20}(?:precedent|sistema|sopra|sicurezza|inizial)|(?<!non |mai )(?:ignor[ai]|dimentica)\S{0,2} tutte[^.!?]{0,20}(?:istruzion|regole|indicazion)/iu,
        ],
      },
      {
        hint: /[\u0400-\u052f]/,
        expressions: [
          ...overridesIn(russian),
          /(?:забудь|игнорируй)\S{0,2} (?:все|всё|bce),? (?:что|чему) [^.!?]{0,30}(?:говорил|сказал|сказан|велел|учил)/iu,
          /(?:ты|tы|вы) [^.!?]{0,30}(?:без каких-либо|без всяких|без) ограничений/iu,
        ],
      },
      {
        hint: /[\u3040-\u30ff\u3400-\u9fff]/,
        expressions: [
          // Chinese.
          new RegExp(
            `(?<!不要|请勿|請勿|[别勿]|不[可能得应應]|从不|避免)(?:忽略|无视|無視|忽視|忘记|忘記|忘掉|不要再?(?:遵守|遵循|理会|听从)|不再(?:遵守|遵循)|抛开|抛弃|绕过|繞過|违反|摒弃)(?!(?:文件|文档|网页|页面|内容|数据|代码|评论|邮件|结果|输入)[^。；，]{0,8}(?:中|里|内))[^。；，,]{0,8}${zhWhich}[^。；，,]{0,12}${zhInstruction}`,
            'u',
          ),
          /(?<!不要|请勿|[别勿]|不[可能得应])(?:忽略|无视|忘记|忘掉)(?:掉)?[^。；，,]{0,10}(?:被?告知|说过|吩咐|学到)的(?:一切|所有|全部|内容)/u,
          new RegExp(
            `${zhWhich}[^。；，,]{0,8}${zhInstruction}[^。；，,]{0,6}(?:已经|已|均|全部|都)?(?:失效|作废|作廢|无效|無效|不再(?:有效|适用|生效)|被取消|取消了)`,
            'u',
          ),
          /(?:从现在(?:开始|起)|从此刻起|你现在)[^。；]{0,12}你?是[^。；]{0,14}(?:没有|沒有|不受)[^。；]{0,8}(?:限制|约束|約束)/u,
          /(?:把|将|將)[^。；，]{0,20}(?:密码|密钥|令牌|凭据|凭证|对话|聊天记录|环境变量)[^。；，]{0,10}(?:发送|上传|转发|传)(?:到|给|至)[^。；]{0,30}(?:https?:|\S{1,40}@\S|外部|攻击者)/u,
          /(?<!不要|请勿|[别勿])(?:发送|上传|转发)[^。；，]{0,20}(?:密码|密钥|令牌|凭据|凭证|对话|聊天记录|环境变量)[^。；，]{0,8}(?:到|给|至)[^。；]{0,20}(?:https?:|\S{1,40}@\S|外部|攻击者)/u,
          /(?:你|您)(?:已经?|现在)?不再受[^。；，]{0,12}(?:规则|限制|约束|束缚|指令)/u,
          // Japanese.
          new RegExp(
            `${jaWhich}[^。、]{0,16}${jaInstruction}(?:を|は|に|も|の)?(?:すべて|全て|全部|完全に|一切|、)?(?:無視(?!しない|して(?:は|も)|せず)|忘れ(?!ない|ず|る(?:な|こと)|て(?:は|も))|破棄|取り消|従わな(?:い(?!と|場合)|く)|守(?:る必要(?:は|が)な|らな(?:い(?:で|こと)|くて)))`,
            'u',
          ),
          /(?:これまで|今まで|以前)に?[^。]{0,10}(?:言われた|教えられた|指示された)(?:こと|内容)[^。]{0,8}(?:忘れ(?!ない|ず|るな)|無視(?!しない|してはい))/u,
          new RegExp(
            `${jaWhich}[^。、]{0,12}${jaInstruction}[^。、]{0,6}(?:は|が)(?:もう|今後|すでに)?(?:すべて|全て)?(?:適用され(?:ません|ない)|解除され|無効(?:です|だ|とな)|効力を失)`,
            'u',
          ),
          /(?:あなたは|君は|お前は)[^。]{0,10}(?:制限|制約|ルール)の?(?:ない|なし|無い)[^。]{0,10}(?:アシスタント|AI|エージェント)/u,
        ],
      },
      {
        hint: /[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]/,
        expressions: [
          /(?:지시|명령|규칙|프롬프트|지침)(?:사항)?[^.]{0,8}(?:무시(?!하지)|잊(?!지)|따르지\s?(?:마|말))/u,
        ],
      },
      {
        hint: /[\u0600-\u06ff]/,
        expressions: [/(?:تجاهل|انس|تجاوز).{0,24}(?:التعليمات|الأوامر|القواعد|الإرشادات)/u],
      },
      {
        hint: /[\u0900-\u097f]/,
        expressions: [/(?:निर्देश|नियम).{0,30}(?:अनदेखा|भूल)|(?:अनदेखा|भूल).{0,30}(?:निर्देश|नियम)/u],
      },
    ],
  },
];
