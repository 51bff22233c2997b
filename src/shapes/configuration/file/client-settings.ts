/** Top-level keys of the settings files of MCP clients. They mark a file that was pasted as a whole. */

/** Keys that only the client needs, by client. Clients add more; a file with one of these may have any others. */
export const clientSettings: ReadonlySet<string> = new Set([
  // Claude Desktop
  ...['globalShortcut', 'preferences', 'scale', 'locale', 'isUsingBuiltInNodeForMcp', 'isDxtAutoUpdatesEnabled'],
  ...['userThemeMode', 'darkMode'],
  // Claude Code
  ...['numStartups', 'installMethod', 'autoUpdates', 'tipsHistory', 'projects', 'oauthAccount', 'userID'],
  ...['firstStartTime', 'hasCompletedOnboarding', 'permissions', 'hooks', 'enableAllProjectMcpServers'],
  ...['enabledMcpjsonServers', 'disabledMcpjsonServers', 'statusLine', 'shiftEnterKeyBindingInstalled'],
  // Gemini CLI
  ...['theme', 'selectedAuthType', 'security', 'general', 'ui', 'ide', 'privacy', 'context', 'tools', 'telemetry'],
  ...['coreTools', 'excludeTools', 'allowMCPServers', 'excludeMCPServers', 'contextFileName', 'preferredEditor'],
  ...['usageStatisticsEnabled', 'checkpointing', 'autoAccept', 'sandbox', 'fileFiltering', 'hideBanner', 'vimMode'],
  // VS Code
  ...['inputs'],
  // Zed
  ...['vim_mode', 'ui_font_size', 'buffer_font_size', 'base_keymap', 'languages', 'lsp', 'agent', 'assistant'],
  ...['language_models', 'agent_servers', 'features'],
  // opencode
  ...['provider', 'model', 'small_model', 'autoupdate', 'keybinds', 'share', 'plugin', 'command', 'instructions'],
  ...['permission', 'disabled_providers', 'experimental', 'formatter'],
  // Codex and Goose
  ...['model_provider', 'approval_policy', 'sandbox_mode', 'profiles', 'GOOSE_PROVIDER', 'GOOSE_MODEL'],
  // mcp-hub, MetaMCP, Kiro
  ...['nativeMCPServers', 'powers', 'version'],
]);

/** True for a key that marks the settings of a client: a known one, or one with dots, as in VS Code's settings. */
export function isClientSetting(key: string): boolean {
  return clientSettings.has(key) || /^[a-z][\w-]*\.\w/i.test(key);
}
