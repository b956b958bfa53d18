/** Starts the inspector beside a gateway, whether it leads or stands by. */
import type { Logger } from 'pino';
import type { Runtime } from './actors/index.ts';
import { createInspectorStore, openDatabase } from './adapters/postgres/index.ts';
import { secretsIn } from './config/secret.ts';
import type { Config } from './config.ts';
import { startInspector } from './inspector/index.ts';
import { version } from './version.ts';

/** Few, so that looking never takes the connections that turns need. */
const CONNECTIONS = 2;
const STATEMENT_MS = 10_000;

/**
 * An inspector that cannot listen is an error in the log, not a reason to keep a gateway from serving people.
 * @returns what ends it.
 */
export async function inspect(config: Config, runtime: Runtime, log: Logger): Promise<() => Promise<unknown>> {
  const { addr, token, allowSend } = config.inspector;
  if (addr === null) return async () => undefined;
  const database = openDatabase({
    url: config.database.url.reveal(),
    poolSize: CONNECTIONS,
    statementTimeoutMs: STATEMENT_MS,
    applicationName: 'claude-session-manager inspector',
    onIdleError: (error) => log.warn({ err: error }, 'inspector: an idle connection broke'),
  });
  try {
    const inspector = await startInspector({
      listen: addr,
      token: token?.reveal(),
      allowSend,
      secrets: secretsIn(config),
      version,
      store: createInspectorStore(database),
      runtime,
      log,
    });
    log.info({ address: inspector.address, readOnly: !allowSend }, 'inspector: listening');
    return async () => {
      await inspector.close();
      await database.close();
    };
  } catch (error) {
    await database.close();
    log.error(
      { err: error, ...addr },
      'the inspector cannot listen; set SM_INSPECTOR_ADDR to another address or to off',
    );
    return async () => undefined;
  }
}
