/** The log of a skill watch: each condition of a directory or folder is logged once while it lasts. */
import type { DirectorySearch } from './search.ts';

/** The part of the log that the watcher uses. */
export interface SkillWatchLog {
  warn(message: string, fields?: Record<string, string | number | boolean | undefined>): void;
}

/** Logs conditions, each once while it lasts. */
export interface WatchLog {
  searched(directory: string, search: DirectorySearch): void;
  /** Logs a condition of the subject `key`, unless it was the last one logged for it. */
  warnOnce(key: string, message: string, fields: Record<string, string | number>): void;
}

/** Creates the log. */
export function createWatchLog(log: SkillWatchLog): WatchLog {
  const warned = new Map<string, string>();
  const warnOnce: WatchLog['warnOnce'] = (key, message, fields) => {
    if (warned.get(key) === message) return;
    warned.set(key, message);
    log.warn(message, fields);
  };
  return {
    warnOnce,
    searched: (directory, search) => {
      if (search.outcome === 'missing') {
        const message = 'A skill directory does not exist; skills that were read from it are kept';
        warnOnce(directory, message, { directory });
      } else if (search.outcome === 'unreadable') {
        warnOnce(directory, 'A skill directory cannot be read', { directory, error_type: search.errorCode });
      } else {
        warned.delete(directory);
        for (const { path, reason } of search.notSearched) {
          warnOnce(`${path} ${reason}`, 'A folder in a skill directory was not searched', { folder: path, reason });
        }
      }
    },
  };
}
