/** The worker bundle, from a folder of this machine to the VM of the configuration. */
import { TerminalError } from './actors/index.ts';
import { installBundle } from './adapters/devcontainer/index.ts';
import type { Config } from './config.ts';
import { createLog } from './log.ts';
import { connectToVm } from './wireVm.ts';

const MEGABYTE = 1024 * 1024;

/**
 * Brings every variant of the folder that the VM has not, or has in another version. The VM's host key must be pinned: this
 * has no memory of an earlier visit.
 * @param say takes lines for a person
 * @throws TerminalError or RetryableError with words for a person
 */
export async function bringBundle(config: Config, folder: string, say: (line: string) => void): Promise<void> {
  const { vm: place, container } = config;
  if (place === null) throw new TerminalError('NO_VM', 'There is no VM: SM_WORKSPACE is local.');
  if (container.workerMount === null) {
    throw new TerminalError('NO_PLACE', 'SM_WORKER_MOUNT is not set: it says where on the VM it goes.');
  }
  const vm = connectToVm({ ...config, vm: place }, { log: createLog('error') });
  try {
    await vm.ready();
    let told = 0;
    const onProgress = (variant: string, bytes: number): void => {
      if (bytes - told < 100 * MEGABYTE && bytes >= told) return;
      told = bytes;
      say(`${variant}: ${Math.round(bytes / MEGABYTE)} MiB sent …`);
    };
    for (const { variant, version, uploaded } of await installBundle(vm, folder, container.workerMount, {
      onProgress,
    })) {
      say(`${variant} ${version}: ${uploaded ? 'brought to the VM' : 'there already'}`);
    }
  } finally {
    await vm.close();
  }
}
