/** Classification of tokens: URLs and hosts, credential paths, secret variables, startup files. Pure. */
import { classesByWord } from './vocabulary.ts';

/** Hosts whose only use in a skill is to collect data that is sent to them (request bins, tunnels, chat webhooks). */
const sinkHosts =
  /(?:^|\.)(?:webhook\.site|requestbin\.(?:com|net)|pipedream\.net|ngrok(?:-free)?\.(?:io|app|dev)|oast\.(?:pro|live|site|online|fun|me)|interact\.sh|burpcollaborator\.net|hookbin\.com|beeceptor\.com|requestcatcher\.com|trycloudflare\.com|localtunnel\.me|loca\.lt|serveo\.net|dnslog\.cn|canarytokens\.com|transfer\.sh|file\.io|0x0\.st|termbin\.com|api\.telegram\.org)$/;
/** Hosts where anyone can publish text anonymously. */
const pasteHosts =
  /(?:^|\.)(?:pastebin\.com|glot\.io|rentry\.(?:co|org)|hastebin\.com|paste\.ee|ghostbin\.(?:co|com)|dpaste\.(?:org|com)|controlc\.com|paste\.rs|ix\.io|sprunge\.us|termbin\.com)$/;
/** URL shorteners, which hide the target of a link. */
const shortenerHosts =
  /^(?:bit\.ly|tinyurl\.com|t\.co|goo\.gl|is\.gd|rebrand\.ly|cutt\.ly|ow\.ly|shorturl\.at|rb\.gy|t\.ly|tiny\.cc|v\.gd)$/;

/** A host name without a scheme. The top-level domain distinguishes it from a file name. */
const bareHost = /\.(?:com|net|org|io|dev|app|xyz|site|ru|cn|info|top|co|tk|cloud|online|invalid)(?:\/|$)/;

const localHost =
  /^(?:localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1?\]|10\.\d+\.\d+\.\d+|192\.168\.\d+\.\d+|172\.(?:1[6-9]|2\d|3[01])\.\d+\.\d+)$/;

const credentialPath = new RegExp(
  [
    String.raw`(?:^|[~\/])\.ssh(?:\/|$)|id_(?:rsa|ed25519|ecdsa|dsa)\b|authorized_keys`,
    String.raw`(?:^|\/)\.aws(?:\/|$)|(?:^|\/)\.netrc|(?:^|\/)\.npmrc$|\.pypirc|\.git-credentials|\.pgpass|\.kube\/config|\.docker\/config|\.gnupg`,
    String.raw`\/etc\/(?:shadow|passwd|sudoers)|credentials?\.(?:json|ya?ml|csv|txt|db)$`,
    String.raw`(?:^|\/)\.config\/(?:gcloud|gh|op|solana)|login\.?data|cookies\.sqlite|key[34]\.db|logins\.json|\.bash_history|\.zsh_history`,
    String.raw`(?:^|\/)\.cursor\/mcp\.json|claude_desktop_config\.json|\.clawdbot\/|\.openclaw\/|\.claude\/(?:\.?credentials|config\.json)|wallet\.dat|keystore|\.metamask|exodus|electrum`,
    String.raw`\/library\/keychains|ntds\.dit|lsass|\/proc\/(?:self|\d+)\/environ|\/var\/run\/secrets`,
  ].join('|'),
);

const secretVariable =
  /^[$%{]*(?:env[:.])?[a-z0-9_]*(?:api_?key|token|secret|password|passwd|private_?key|access_?key|credentials?|_key|database_url|aws_[a-z_]+)s?[%}]*$/;
const ruleFile =
  /(?:^|\/)(?:claude|agents?|memory|soul|gemini|identity|tools|bootstrap|heartbeat|user|copilot-instructions)\.md$|\.cursorrules$|\.windsurfrules$|\.clinerules$/;
const startupFile =
  /(?:^|\/)\.(?:bashrc|zshrc|profile|bash_profile|zprofile|zshenv|bash_login)$|\/etc\/(?:cron|rc\.local|profile|systemd)|launchagents|launchdaemons|\/systemd\/|\.plist$|\.git\/hooks|\bcrontab\b|schtasks|currentversion\\run/;

/**
 * Of each class for which the signs of a word matter, texts of which such a word contains one, if it does not begin with `--`
 * or `x-`, contain `@`, consist of digits and full stops, or have one of the {@link classLabels}.
 */
export const classParts: readonly string[] = [
  ...['.ssh', 'id_rsa', 'id_ed25519', 'id_ecdsa', 'id_dsa', 'authorized_keys', '.aws', '.netrc', '.npmrc', '.pypirc'],
  ...['credential', '.pgpass', '.kube/', '.docker/', '.gnupg', '/etc/', '.config/', 'login', 'cookies.sqlite'],
  ...['key3.db', 'key4.db', '_history', 'mcp.json', 'desktop_config', '.clawdbot/', '.openclaw/', 'e/co', 'wallet.dat'],
  ...['keystore', '.metamask', 'exodus', 'electrum', 'keychains', 'ntds.dit', 'lsass', '/environ', 'run/secrets'],
  ...['apikey', 'api_key', 'token', 'secret', 'password', 'passwd', 'privatekey', 'accesskey', '_key', 'database_url'],
  ...['aws_', 'claude.md', 'agent.md', 'agents.md', 'memory.md', 'soul.md', 'gemini.md', 'identity.md', 'tools.md'],
  ...['bootstrap.md', 'heartbeat.md', 'user.md', 'copilot-instructions.md', '.cursorrules', '.windsurfrules'],
  ...['.clinerules', 'bashrc', 'zshrc', 'profile', 'zshenv', 'bash_login', 'launch', '/systemd/', '.plist'],
  ...['.git/hooks', 'crontab', 'schtasks', 'currentversion', '169.254.169.254', 'google.internal', '/bin/', 'exec:'],
  '/dev/',
];

/** Names after a full stop, before another sign or at the end, of which a host, an archive or a script has one. */
export const classLabels: readonly string[] = [
  ...['com', 'net', 'org', 'io', 'dev', 'app', 'xyz', 'site', 'ru', 'cn', 'info', 'top', 'co', 'tk', 'cloud', 'online'],
  ...['invalid', 'pro', 'live', 'fun', 'me', 'sh', 'lt', 'st', 'ee', 'rs', 'us', 'ly', 'gl', 'gd', 'at', 'gy', 'cc'],
  ...['zip', 'rar', '7z', 'exe', 'msi', 'dmg', 'pkg', 'scr', 'bat', 'apk', 'ps1', 'bash', 'env'],
];

/** The classes of a token that is in lower case, each written with its `@`. */
export function classesOf(text: string): string[] {
  const classes: string[] = [];
  const wordClasses = classesByWord.get(text) ?? classesByWord.get(text.replace(/[-_]/g, ''));
  if (wordClasses !== undefined) classes.push(...wordClasses);
  // Plain words and numbers, which most tokens are, have no other class.
  if (/^(?:[\p{L}]+|\d+)$/u.test(text)) return classes;
  if (/^[a-z0-9-]+$/.test(text) && !/^-|^x-|apikey|crontab|launch|schtasks/.test(text)) return classes;
  const address = text.includes('://') ? addressOf.exec(text) : null;
  if (address !== null) classes.push(...addressClasses(text, address[1] ?? '', address[2] ?? ''));
  else if (text.includes('.')) classes.push(...dottedClasses(text));
  if (text.includes('@') && /^[\w.+-]+@[\w-]+(?:\.[\w-]+)+$/.test(text)) classes.push('@email');
  if (address === null && /[/.\\~_]/.test(text) && credentialPath.test(text)) classes.push('@credpath');
  if (text.length < 80 && !text.startsWith('your') && /[$%_]/.test(text) && secretVariable.test(text))
    classes.push('@secretvar');
  if (/(?:\.md|rules)$/.test(text) && ruleFile.test(text)) classes.push('@rulefile');
  if (startupFile.test(text)) classes.push('@startup');
  if (text.includes('.')) classes.push(...fileClasses(text, address !== null));
  if (/^(?:\/usr)?\/bin\/(?:ba|z|da|k)?sh$|^exec:/.test(text)) classes.push('@shell');
  // A host without a dot or digit, such as `ATTACKER_IP`, is a placeholder.
  if (text.startsWith('/dev/') && /^\/dev\/(?:tcp|udp)\/(?:[^/]{0,100}[.\d$]|localhost)/.test(text))
    classes.push('@devtcp');
  if (/^--[a-z]/.test(text)) classes.push('@option');
  if (text.startsWith('@')) classes.push('@upload');
  if (/^x-[a-z-]{0,40}(?:key|token|auth|secret|apikey)[a-z-]{0,20}$|^[a-z-]{1,40}-apikey$/.test(text))
    classes.push('@authheader');
  return classes;
}

const addressOf = /^[a-z][a-z0-9+.-]{1,11}:\/\/(?:[^\s/@]{1,100}@)?([^\s/:?#]{1,253})(?::\d{1,5})?(.*)$/;

function dottedClasses(text: string): string[] {
  if (/^(?:\d{1,3}\.){3}\d{1,3}$/.test(text) && !localHost.test(text)) return ['@ip'];
  if (!/^[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,6}(?:\/\S*)?$/.test(text)) return [];
  return [...hostClasses(text.split('/')[0] ?? ''), ...(bareHost.test(text) ? ['@host'] : [])];
}

function fileClasses(text: string, isAddress: boolean): string[] {
  const classes: string[] = [];
  if (!isAddress && /\.(?:zip|rar|7z|exe|msi|dmg|pkg|scr|bat|apk)$/.test(text)) classes.push('@archivefile');
  if (/\.(?:sh|ps1|bash)$/.test(text)) classes.push('@script');
  if (/(?:^|\/)\.env(?:\.\w{1,20})?$/.test(text)) classes.push('@envfile');
  if (text.includes('169.254.169.254') || text.includes('metadata.google.internal')) classes.push('@metadata');
  return classes;
}

/** The host of a URL token; undefined for any other token. */
export function hostOf(text: string): string | undefined {
  return text.includes('://') ? addressOf.exec(text)?.[1] : undefined;
}

/** Whether each of the secret variables is named after one of the hosts: `$STRIPE_KEY` after `api.stripe.com`. */
export function areOwnKeys(variables: readonly string[], hosts: readonly string[]): boolean {
  const labels = hosts.flatMap((host) => host.split('.').slice(0, -1)).map((label) => label.replaceAll('-', ''));
  return (
    variables.length > 0 &&
    variables.every((variable) => {
      const [service = ''] =
        /[a-z0-9]{3,40}/.exec(
          variable.replace(/_(?:api|token|key|secret|access).*$|^.*environ/, '').replaceAll('_', ''),
        ) ?? [];
      return service.length >= 4 && labels.some((label) => label === service);
    })
  );
}

function addressClasses(text: string, host: string, rest: string): string[] {
  if (localHost.test(host)) return ['@local'];
  const classes = ['@url', ...hostClasses(host)];
  if (/^(?:\d{1,3}\.){3}\d{1,3}$/.test(host)) classes.push('@ip');
  if (/\.(?:sh|ps1|bash|py)(?:[?#].*)?$/.test(rest) || /\/install$/.test(rest)) classes.push('@script');
  if (/\.(?:zip|rar|7z|exe|msi|dmg|pkg|scr|bat)(?:[?#].*)?$/.test(rest) || /\/releases\/download\//.test(rest))
    classes.push('@archive');
  if (/[?&][\w.-]{1,40}=[{$<[%]/.test(text) || /[?&/][\w.-]{0,40}=?(?:\$\{|\{\{|\$\()/.test(text))
    classes.push('@dataurl');
  return classes;
}

function hostClasses(host: string): string[] {
  if (sinkHosts.test(host) || host === 'discord.com') return ['@sinkhost'];
  if (pasteHosts.test(host)) return ['@pastehost'];
  if (shortenerHosts.test(host)) return ['@shortener'];
  return [];
}
