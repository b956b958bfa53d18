/** What agents may reach. */
import { isIP } from 'node:net';
import { defaulted, optional, required, requiredSecret } from '../setting.ts';
import {
  absolutePath,
  flag,
  list,
  matching,
  oneOf,
  people,
  positiveNumber,
  seconds,
  text,
  webAddress,
} from '../values.ts';

/** Interfaces of Linux have at most 15 characters. */
const bridges = list((raw) =>
  /^[A-Za-z0-9_.-]{1,15}$|^[A-Za-z0-9_.-]{1,14}\*$/.test(raw)
    ? { value: raw }
    : { problem: 'is not the name of an interface, nor the beginning of one with a * at the end' },
);
const hosts = list((raw) =>
  /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]+$/.test(raw)
    ? { value: raw }
    : { problem: 'is not a host name in lower case' },
);
const addresses = list((raw) => (isIP(raw) === 0 ? { problem: 'is not an address' } : { value: raw }));

export const firewall = {
  kind: defaulted('SM_FIREWALL', oneOf('opnsense', 'nftables', 'none'), 'opnsense', {
    help: '`opnsense`: approved domains are opened there, for every container. `nftables`: on the VM, for each container alone. `none`: nothing stands between agents and the network.',
  }),
  policyFile: optional('SM_NETWORK_POLICY_FILE', absolutePath, {
    help: 'YAML file with domains that need no question: `allow:` and `never:`. Read when the gateway starts.',
    example: '/etc/csm/network.yaml',
  }),
  baseHosts: defaulted('SM_BASE_HOSTS', hosts, 'api.anthropic.com', {
    help: 'Hosts that every agent needs: open for all containers with `nftables`; expected in the alias with `opnsense`.',
    example: 'api.anthropic.com,platform.claude.com',
  }),
  grantHours: defaulted('SM_GRANT_HOURS', positiveNumber, '8', {
    unit: 'hours',
    help: 'How long a domain stays open that was approved for a whole repository.',
  }),
  admins: defaulted('SM_ADMINS', people, '[]', {
    help: 'User names or ids that may open a domain for good, for everybody (empty = nobody).',
    example: 'alice',
  }),
};

export const nftables = {
  command: defaulted('SM_NFT_COMMAND', text, 'sudo -n nft', {
    help: 'What runs nft on the VM with the rights it needs.',
  }),
  bridges: required('SM_NFT_BRIDGES', bridges, {
    help: 'Bridges of the VM that containers are on, such as that of SM_CONTAINER_NETWORK (`podman network inspect` names it). A `*` at the end stands for the rest of a name: `podman*`.',
    example: 'podman1',
  }),
  resolvers: required('SM_NFT_RESOLVERS', addresses, {
    help: 'Addresses of the VM where its resolver for containers listens.',
    example: '10.89.0.1',
  }),
  namesFolder: defaulted('SM_NFT_NAMES_FOLDER', absolutePath, '/run/csm/names', {
    help: 'Folder of the VM from which that resolver reads names (`hostsdir` of dnsmasq).',
  }),
};

export const opnsense = {
  url: required('SM_OPNSENSE_URL', webAddress, {
    help: 'OPNsense firewall API URL.',
    example: 'https://opnsense.example.com',
  }),
  key: requiredSecret('SM_OPNSENSE_KEY', { help: 'OPNsense API key.', example: 'the key of the API user' }),
  secret: requiredSecret('SM_OPNSENSE_SECRET', { help: 'OPNsense API secret.', example: 'the secret of the API user' }),
  alias: defaulted(
    'SM_OPNSENSE_ALIAS',
    matching(/^[A-Za-z_][A-Za-z0-9_]{0,31}$/, 'the name of an alias'),
    'llm_approved_domains',
    {
      help: 'Firewall alias name to manage.',
    },
  ),
  verifyTls: defaulted('SM_OPNSENSE_VERIFY_TLS', flag, 'true', { help: 'Verify TLS for the OPNsense API.' }),
  caFile: optional('SM_OPNSENSE_CA_FILE', absolutePath, {
    help: 'PEM file with the certificate of its authority, or its own if it is self-signed.',
    example: '/etc/csm/opnsense.pem',
  }),
  timeoutSecs: defaulted('SM_OPNSENSE_TIMEOUT_SECS', seconds(1), '30', {
    unit: 'seconds',
    help: 'HTTP timeout for the OPNsense API.',
  }),
};
