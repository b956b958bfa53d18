/**
 * The environment of every git that runs on the VM itself. Configuration comes from here alone: no system, user or
 * repository file decides what is run. The token is in the environment of the one command that needs it and nowhere else.
 */
export interface GitSetting {
  readonly baseUrl: string;
  /** For https; empty: none. */
  readonly token: string;
}

/** Ends transfers that have stalled, rather than waiting for the time limit. */
const STALLED = { bytesPerSecond: '1000', seconds: '60' };

/** @param trusted the only folders git may work in whoever owns them */
export function gitEnvironment(
  { baseUrl, token }: GitSetting,
  trusted: readonly string[],
  withToken: boolean,
): Readonly<Record<string, string>> {
  const { protocol, origin } = new URL(baseUrl);
  const scheme = protocol.replace(':', '');
  const settings: [string, string][] = [
    ['core.hooksPath', '/dev/null'],
    ['core.fsmonitor', 'false'],
    ['core.attributesFile', '/dev/null'],
    ['core.askPass', ''],
    ['core.sshCommand', 'false'],
    ['core.pager', 'cat'],
    // What the repository comes by, and our own copies from the mirror; nothing else, least of all ext::.
    ['protocol.allow', 'never'],
    [`protocol.${scheme}.allow`, 'always'],
    ['protocol.file.allow', 'always'],
    ['submodule.recurse', 'false'],
    ['fetch.recurseSubmodules', 'false'],
    ['transfer.fsckObjects', 'true'],
    // Blemishes of old tools, in the history of many a repository; the dangerous ones stay errors.
    ['fetch.fsck.zeroPaddedFilemode', 'ignore'],
    ['fetch.fsck.badTimezone', 'ignore'],
    ['fetch.fsck.missingSpaceBeforeDate', 'ignore'],
    // Nothing stays behind in the background.
    ['gc.auto', '0'],
    ['fetch.unpackLimit', '1'],
    ['maintenance.auto', 'false'],
    ['http.lowSpeedLimit', STALLED.bytesPerSecond],
    ['http.lowSpeedTime', STALLED.seconds],
    ['advice.detachedHead', 'false'],
    ['init.defaultBranch', 'main'],
    ['user.useConfigOnly', 'true'],
    // Empty first: it clears what came before, then ours is the only helper.
    ['credential.helper', ''],
    ...trusted.map((folder): [string, string] => ['safe.directory', folder]),
  ];
  if (withToken && token !== '' && scheme.startsWith('http')) {
    settings.push([`credential.${origin}.helper`, CREDENTIAL_HELPER]);
  }
  return {
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '',
    SSH_ASKPASS: '',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    LC_ALL: 'C',
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(
      settings.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
    ...(withToken && token !== '' ? { CSM_GIT_TOKEN: token } : {}),
  };
}

/** GitHub takes a token as the password of any user name. Asked for by the address it is for alone. */
const CREDENTIAL_HELPER =
  '!f() { test "$1" = get && printf "username=x-access-token\\npassword=%s\\n" "$CSM_GIT_TOKEN"; }; f';
