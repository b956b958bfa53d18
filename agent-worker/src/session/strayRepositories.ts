// What is committed may look like a repository without a checkout, with settings that name programs for git to run.

/** @returns an environment in which git takes no such folder for a repository (since git 2.38) */
export function withoutStrayRepositories(environment: Record<string, string>): Record<string, string> {
  const count = Number(environment.GIT_CONFIG_COUNT ?? 0);
  return {
    ...environment,
    GIT_CONFIG_COUNT: String(count + 1),
    [`GIT_CONFIG_KEY_${count}`]: 'safe.bareRepository',
    [`GIT_CONFIG_VALUE_${count}`]: 'explicit',
  };
}
