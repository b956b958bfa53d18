/** Devcontainers on a machine reached through a shell: their configuration, `devcontainer up`, and the containers. */
export { type Bundle, type InstalledBundle, type InstallOptions, installBundle, readBundles } from './bundle.ts';
export { type ComposeText, followLinks, parseYaml, readComposeFiles, readDockerfiles } from './checkoutFiles.ts';
export { type CliCall, inCleanEnvironment } from './cli.ts';
export {
  addressesOf,
  type Container,
  findOrphans,
  type Host,
  haveMountsMoved,
  inspectOurs,
  isFromCopy,
  isOurs,
  listOf,
  listOurs,
  parseInspect,
  removeOurs,
} from './containers.ts';
export { chooseConfig, defaultConfig, type FoundConfig, findConfig } from './discovery.ts';
export { StartCommandError, upError } from './errors.ts';
export { parseConfigText } from './jsonc.ts';
export { isLeftLookout, type Lookout, runInLookout } from './lookout.ts';
export { idLabelOf, keyOf, labelsOf, type Owner, projectOf, volumesOf } from './names.ts';
export { bridgesOf } from './networks.ts';
export { type PortRequest, releasePort, reservedKeys, reservePort, WORKER_PORTS } from './ports.ts';
export { createLogReader, parseLogLine, sentenceOf } from './progress.ts';
export {
  baseImages,
  type Contributions,
  parseConfiguration,
  readConfiguration,
  readImageLabels,
} from './readConfiguration.ts';
export { createScrub } from './scrub.ts';
export { type Command, linesOf, type Runtime, type Shell, type ShellOptions, type ShellResult } from './shell.ts';
export { devcontainerUp, readResult, type UpRequest, type UpResult } from './up.ts';
export {
  CONTAINER_WORKER_PORT,
  findWorker,
  startWorker,
  type WorkerFound,
  type WorkerPlace,
  type WorkerSpec,
} from './worker.ts';
