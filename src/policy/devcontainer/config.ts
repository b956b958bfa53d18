/** The properties of devcontainer.json, one by one. A property that is not known here is refused. */
import { posix } from 'node:path';
import { vetBuild, vetFeatures, vetImage } from './build.ts';
import { vetContribution } from './metadata.ts';
import { isOwnPlace, parseMountText, vetMount } from './mounts.ts';
import { type Vetting, vetFile } from './places.ts';
import { vetRunArgs } from './runArgs.ts';
import { type Data, isPlainWord, textOrTexts, textsOf } from './shape.ts';
import { expand } from './variables.ts';
import { quoted } from './verdict.ts';
import { vetPublished } from './walls.ts';

/** Properties that stay inside the container, or say something to editors only. */
const FINE = [
  '$schema',
  'name',
  'portsAttributes',
  'otherPortsAttributes',
  'overrideCommand',
  'onCreateCommand',
  'updateContentCommand',
  'postCreateCommand',
  'postStartCommand',
  'postAttachCommand',
  'waitFor',
  'remoteEnv',
  'updateRemoteUserUID',
  'userEnvProbe',
  'overrideFeatureInstallOrder',
  'customizations',
  'secrets',
  'extensions',
  'settings',
  'devPort',
];

/** Properties that have rules below or in `vetContribution`. */
const CHECKED = [
  'image',
  'build',
  'dockerFile',
  'context',
  'features',
  'dockerComposeFile',
  'service',
  'runServices',
  'runArgs',
  'appPort',
  'forwardPorts',
  'workspaceMount',
  'workspaceFolder',
  'remoteUser',
  'containerUser',
  'shutdownAction',
  'hostRequirements',
  'mounts',
  'containerEnv',
  'init',
  'privileged',
  'capAdd',
  'securityOpt',
  'initializeCommand',
];

export const KNOWN_PROPERTIES: readonly string[] = [...FINE, ...CHECKED];

/** @param ownRunArgs the arguments at the end of `runArgs` that the session manager added itself */
export function vetConfig(config: Data, ownRunArgs: readonly string[], vetting: Vetting): void {
  const { found } = vetting;
  for (const key of Object.keys(config)) {
    if (!KNOWN_PROPERTIES.includes(key)) found.refuse(key, 'unreadable', 'is not a property known here');
  }
  vetContribution(config, '', vetting);
  vetImage(config.image, 'image', vetting);
  vetBuild(config, vetting);
  vetFeatures(config.features, vetting);
  vetCompose(config, vetting);
  const words = textsOf(config.runArgs, 'runArgs', found).map(({ text }) => text);
  vetRunArgs(withoutOwn(words, ownRunArgs), 'runArgs', vetting);
  vetPorts(config, vetting);
  vetWorkspace(config, vetting);
  for (const key of ['remoteUser', 'containerUser']) {
    const user = config[key];
    if (
      user !== undefined &&
      !(typeof user === 'string' && isPlainWord(user.replace(/^\$\{localEnv:\w+\}$/, 'user')))
    ) {
      found.refuse(key, 'unreadable', 'is not the name of a user');
    }
  }
  tellIgnored(config, vetting);
}

function withoutOwn(words: readonly string[], own: readonly string[]): readonly string[] {
  const start = words.length - own.length;
  return own.length > 0 && own.every((word, index) => words[start + index] === word) ? words.slice(0, start) : words;
}

function vetCompose(config: Data, vetting: Vetting): void {
  const { found, checkout, rules } = vetting;
  if (config.dockerComposeFile !== undefined && rules.unwalledNetworks !== '') {
    const does = 'makes networks of its own, where no walls stand and its services would reach whatever the VM reaches';
    found.refuse('dockerComposeFile', 'network', does, `SM_NFT_BRIDGES=${rules.unwalledNetworks}`);
  }
  for (const { path, text } of textOrTexts(config.dockerComposeFile, 'dockerComposeFile', found)) {
    vetFile(text, posix.dirname(checkout.configFile), path, 'a compose file', vetting);
  }
  if (Array.isArray(config.dockerComposeFile) && config.dockerComposeFile.length === 0) {
    found.refuse('dockerComposeFile', 'unreadable', 'leaves open which compose files are meant');
  }
  const services = [
    ...(config.service === undefined ? [] : textOrTexts(config.service, 'service', found)),
    ...textsOf(config.runServices, 'runServices', found),
  ];
  for (const { path, text } of services) {
    if (!isPlainWord(text)) found.refuse(path, 'unreadable', `is not the name of a service (${quoted(text)})`);
  }
}

function vetPorts(config: Data, vetting: Vetting): void {
  const { appPort } = config;
  const ports: unknown[] = appPort === undefined ? [] : Array.isArray(appPort) ? appPort : [appPort];
  for (const [index, port] of ports.entries()) {
    const path = Array.isArray(appPort) ? `appPort[${index}]` : 'appPort';
    // The devcontainer CLI publishes a number on the loopback, and a text as it stands.
    if (typeof port === 'number') vetPublished(`127.0.0.1:${port}:${port}`, path, vetting);
    else if (typeof port === 'string') vetPublished(port, path, vetting);
    else vetting.found.refuse(path, 'unreadable', 'is not a port');
  }
}

function vetWorkspace(config: Data, vetting: Vetting): void {
  const { found, checkout } = vetting;
  const { workspaceMount, workspaceFolder } = config;
  if (workspaceMount !== undefined && workspaceMount !== '') {
    if (typeof workspaceMount === 'string') vetMount(parseMountText(workspaceMount), 'workspaceMount', vetting);
    else found.refuse('workspaceMount', 'unreadable', 'is not a text');
  }
  if (workspaceFolder === undefined) return;
  const place =
    typeof workspaceFolder === 'string' ? expand(workspaceFolder, checkout.folder, { inContainer: false }) : undefined;
  // Its value may stand in a mount: what separates fields there must not come in this way.
  if (place === undefined || !/^\/[\w./@+ -]*$/.test(place) || place.split('/').includes('..')) {
    found.refuse('workspaceFolder', 'unreadable', 'is not an absolute folder of the container');
  } else if (place !== '/' && isOwnPlace(place)) {
    found.refuse('workspaceFolder', 'ours', `uses ${quoted(place)} in the container`);
  }
}

function tellIgnored(config: Data, { found }: Vetting): void {
  if (Array.isArray(config.forwardPorts) && config.forwardPorts.length > 0) {
    found.note('forwardPorts', 'Ports are not forwarded to anybody here.');
  }
  if (config.shutdownAction !== undefined) {
    found.note('shutdownAction', 'Containers are stopped by the session manager when they have no session.');
  }
  const requirements = config.hostRequirements;
  if (requirements !== undefined) {
    found.note('hostRequirements', 'Not checked against the VM; graphics processors are not handed to containers.');
  }
}
