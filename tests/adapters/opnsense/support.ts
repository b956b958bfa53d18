/** The adapter and the stand-in it talks to, with names that resolve the same for both. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OpnsenseOptions, type OpnsenseSimulator, startOpnsense } from '../../../simulator/src/opnsense/index.ts';
import {
  createOpnsenseClient,
  type OpnsenseAccess,
  type OpnsenseClient,
  type OpnsenseFirewall,
  opnsenseFirewall,
  type Times,
} from '../../../src/adapters/opnsense/index.ts';

export const ALIAS = 'llm_approved_domains';
const HOSTS: Readonly<Record<string, readonly string[]>> = {
  'api.anthropic.com': ['192.0.2.1'],
  'pypi.org': ['192.0.2.10', '2001:db8::10'],
  'files.pythonhosted.org': ['192.0.2.10'],
  'crates.io': ['192.0.2.20'],
};

export const resolve = async (name: string): Promise<readonly string[]> =>
  HOSTS[name] ?? Promise.reject(new Error(`NXDOMAIN ${name}`));

export interface Bench {
  readonly simulator: OpnsenseSimulator;
  readonly firewall: OpnsenseFirewall;
  connect(access?: Partial<OpnsenseAccess>, patience?: Partial<Times>): OpnsenseFirewall;
  close(): Promise<void>;
}

/** The alias is there and holds `api.anthropic.com`, which nobody of us has added. */
export async function openBench(options: OpnsenseOptions = {}): Promise<Bench> {
  const simulator = await startOpnsense({ resolve, ...options });
  const clients: OpnsenseClient[] = [];
  simulator.addUser({ key: 'key', secret: 'secret' });
  await simulator.addAlias({ name: ALIAS, content: ['api.anthropic.com'] });
  await simulator.addAlias({ name: 'offices', type: 'network', content: ['198.51.100.0/24'] });
  const connect = (access: Partial<OpnsenseAccess> = {}, patience: Partial<Times> = {}): OpnsenseFirewall => {
    const client = createOpnsenseClient({
      url: simulator.url,
      key: 'key',
      secret: 'secret',
      timeoutMs: 10_000,
      verifyTls: true,
      caFile: '',
      ...access,
    });
    clients.push(client);
    const times = { lookMs: 5, againMs: 20, patienceMs: 2_000, ...patience };
    return opnsenseFirewall({ client, alias: ALIAS, resolve, times });
  };
  return {
    simulator,
    firewall: connect(),
    connect,
    async close() {
      await Promise.all(clients.map((client) => client.close()));
      await simulator.close();
    },
  };
}

/** A self-signed certificate for 127.0.0.1, and the file it is in. */
export function selfSigned(): { cert: string; key: string; file: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'csm-tls-'));
  const [file, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const options = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=firewall';
  execFileSync(
    'openssl',
    ['req', ...options.split(' '), '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', keyFile, '-out', file],
    { stdio: 'ignore' },
  );
  return {
    cert: readFileSync(file, 'utf8'),
    key: readFileSync(keyFile, 'utf8'),
    file,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'nothing was thrown';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}
