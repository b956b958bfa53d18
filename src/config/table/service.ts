/** The gateway itself: what it serves, keeps and shows. */
import { defaulted, optionalSecret, requiredSecret } from '../setting.ts';
import {
  flag,
  integer,
  listenAddress,
  listenAddressOrOff,
  networks,
  oneOf,
  pathSecret,
  positiveNumber,
  postgresAddress,
  seconds,
  signingSecret,
  webAddress,
} from '../values.ts';

export const server = {
  callbackUrl: defaulted('SM_CALLBACK_URL', webAddress, 'http://session-manager:8000/callback', {
    help: 'Callback URL for Mattermost; the server must be able to reach it.',
  }),
  callbackSecret: requiredSecret(
    'SM_CALLBACK_SECRET',
    {
      help: 'HMAC shared secret for callback verification; at least 16 characters.',
      example: 'the output of: openssl rand -hex 32',
    },
    signingSecret,
  ),
  callbackPathSecret: optionalSecret(
    'SM_CALLBACK_PATH_SECRET',
    {
      help: 'Only calls to `/callback/<this>` are taken; buttons call SM_CALLBACK_URL with it at the end. 20 to 200 letters, digits, `-` or `_`.',
      example: 'the output of: openssl rand -hex 16',
    },
    pathSecret,
  ),
  callbackSources: defaulted('SM_CALLBACK_SOURCES', networks, '[]', {
    help: 'Where clicks may come from: addresses or networks of the Mattermost server (empty = from anywhere).',
    example: '10.0.3.7',
  }),
  listenAddr: defaulted('SM_LISTEN_ADDR', listenAddress, '0.0.0.0:8000', { help: 'Server bind address.' }),
  rateLimitRps: defaulted('SM_RATE_LIMIT_RPS', positiveNumber, '10', {
    unit: 'requests per second',
    help: 'Requests per second per IP.',
  }),
  rateLimitBurst: defaulted('SM_RATE_LIMIT_BURST', integer(1, 1_000_000), '20', { help: 'Rate limit burst size.' }),
  trustedProxies: defaulted('SM_TRUSTED_PROXIES', networks, '[]', {
    help: 'Proxies whose X-Forwarded-For is believed: addresses or networks (empty = none).',
    example: '10.0.0.0/8',
  }),
  startWaitSecs: defaulted('SM_START_WAIT_SECS', seconds(0), '0', {
    unit: 'seconds',
    help: 'How long a starting gateway waits for a database or a Mattermost that cannot be reached, before it ends and says so.',
  }),
  logLevel: defaulted('SM_LOG_LEVEL', oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace'), 'info', {
    help: 'How much is logged: fatal, error, warn, info, debug or trace.',
  }),
};

export const inspector = {
  addr: defaulted('SM_INSPECTOR_ADDR', listenAddressOrOff, '127.0.0.1:8001', {
    help: 'Bind address of the statechart inspector; `off` for none. It shows everything: anywhere but on loopback it needs SM_INSPECTOR_TOKEN.',
  }),
  token: optionalSecret(
    'SM_INSPECTOR_TOKEN',
    {
      help: 'Who opens the inspector must know this; at least 16 characters. Not needed on loopback.',
      example: 'the output of: openssl rand -hex 32',
    },
    signingSecret,
  ),
  allowSend: defaulted('SM_INSPECTOR_ALLOW_SEND', flag, 'false', {
    help: 'Allow operator actions in the inspector: retry, skip, restart, stop. Otherwise it can only look.',
  }),
};

export const database = {
  url: requiredSecret(
    'SM_DATABASE_URL',
    { help: 'PostgreSQL connection URL.', example: 'postgres://user:pass@postgres:5432/session_manager' },
    postgresAddress,
  ),
  poolSize: defaulted('SM_DATABASE_POOL_SIZE', integer(1, 1000), '5', { help: 'PostgreSQL connection pool size.' }),
};

export const retention = {
  eventsDays: defaulted('SM_RETENTION_EVENTS_DAYS', integer(1, 3650), '14', {
    unit: 'days',
    help: 'How long events and effects that are done with are kept. Longer than any gateway is ever down.',
  }),
  sessionsDays: defaulted('SM_RETENTION_SESSIONS_DAYS', integer(1, 3650), '90', {
    unit: 'days',
    help: 'How long the database keeps what was said in sessions that ended, and dead letters nobody looked at. Threads stay as they are.',
  }),
  journalRows: defaulted('SM_RETENTION_JOURNAL_ROWS', integer(10, 1_000_000), '200', {
    help: 'How many steps of each actor the journal keeps, besides its first.',
  }),
};
