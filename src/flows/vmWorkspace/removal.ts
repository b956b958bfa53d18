/** Containers that are not wanted any more, with all that was made for them but the agent's home. */
import { type EffectHandlers, RetryableError } from '../../actors/index.ts';
import { keyOf, projectOf, releasePort } from '../../adapters/devcontainer/index.ts';
import { removeGenerations } from './build.ts';
import { type OfContainer, ownerOf, portsFolder, stateFolder, type VmWorkspace } from './ports.ts';

export function removalHandlers(ports: VmWorkspace) {
  return {
    'workspace.remove': async ({ params }, { signal }) => {
      const { host, instance } = ports;
      await removeGenerations(ports, params, (generation) => generation <= params.generation, signal);
      await removeNetworks(ports, params, signal);
      const key = keyOf(ownerOf(ports, params));
      await releasePort(host.shell, { folder: portsFolder(ports), instance, key }, signal);
      await deleteFolder(ports, stateFolder(ports, params), signal);
    },
  } satisfies EffectHandlers;
}

/** Those of a compose project; others have none of their own. */
async function removeNetworks({ host, instance }: VmWorkspace, of: OfContainer, signal: AbortSignal): Promise<void> {
  const project = projectOf(ownerOf({ instance }, of));
  const script = `
"$1" network ls --quiet --filter "label=com.docker.compose.project=$2" | while read -r network; do
  "$1" network rm "$network" >/dev/null || exit 1
done`;
  const { code, stderr } = await host.shell.exec(
    { script, args: [host.runtime, project] },
    { timeoutMs: 60_000, signal },
  );
  if (code !== 0) throw new RetryableError('CONTAINER_RUNTIME', `network rm: exit code ${code}: ${stderr.trim()}`);
}

async function deleteFolder({ host }: VmWorkspace, folder: string, signal: AbortSignal): Promise<void> {
  const { code, stderr } = await host.shell.exec(['rm', '-rf', '--', folder], { timeoutMs: 60_000, signal });
  if (code !== 0) throw new RetryableError('VM_FOLDER', `rm: exit code ${code}: ${stderr.trim()}`);
}
