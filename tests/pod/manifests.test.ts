// @limit 300
// The Kubernetes manifests are valid, and keep the promises that the product makes about them.
import * as assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import { z } from 'zod';
import { createMetrics, startHttp } from '../../src/adapters/http/index.ts';
import { describeConfig } from '../../src/config/describe.ts';
import { type LoadedConfig, loadConfig, problemText } from '../../src/config.ts';
import { DEPLOY, type Manifest, only, render, renderWith } from './kustomize.ts';
import { fieldProblems, valueProblems } from './schemas.ts';

const probe = z.object({
  httpGet: z.object({ path: z.string(), port: z.union([z.string(), z.number()]) }),
  periodSeconds: z.number(),
  timeoutSeconds: z.number(),
  failureThreshold: z.number(),
});
const ref = z.object({ name: z.string() });
const deploymentShape = z.object({
  spec: z.object({
    replicas: z.number(),
    selector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
    strategy: z.object({
      type: z.string(),
      rollingUpdate: z.object({ maxSurge: z.number(), maxUnavailable: z.number() }),
    }),
    template: z.object({
      metadata: z.object({ labels: z.record(z.string(), z.string()) }),
      spec: z.object({
        serviceAccountName: z.string(),
        automountServiceAccountToken: z.boolean(),
        terminationGracePeriodSeconds: z.number(),
        securityContext: z.looseObject({}),
        volumes: z.array(z.looseObject({ name: z.string() })),
        containers: z.tuple([
          z.object({
            image: z.string(),
            ports: z.array(z.object({ name: z.string(), containerPort: z.number() })),
            envFrom: z.array(z.object({ configMapRef: ref.optional(), secretRef: ref.optional() })),
            startupProbe: probe,
            readinessProbe: probe,
            livenessProbe: probe,
            resources: z.object({
              requests: z.record(z.string(), z.string()),
              limits: z.record(z.string(), z.string()),
            }),
            securityContext: z.looseObject({}),
            volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })),
          }),
        ]),
      }),
    }),
  }),
});
const policyShape = z.object({
  spec: z.object({
    podSelector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
    policyTypes: z.array(z.string()),
    ingress: z.array(z.looseObject({ ports: z.array(z.looseObject({ port: z.number() })) })).default([]),
    egress: z
      .array(
        z.object({
          to: z.array(z.looseObject({})).min(1),
          ports: z.array(z.object({ port: z.number(), endPort: z.number().optional(), protocol: z.string() })),
        }),
      )
      .default([]),
  }),
});
const dataShape = z.object({ data: z.record(z.string(), z.string()) });

const example = render('overlays/example');
const direct = renderWith('direct-transport');
const monitored = renderWith('monitoring');

const podOf = (manifests: readonly Manifest[]) => {
  const { spec } = deploymentShape.parse(only(manifests, 'Deployment'));
  return { spec, pod: spec.template.spec, container: spec.template.spec.containers[0] };
};

/** The environment as the kubelet would make it from the references of the container. */
function environment(manifests: readonly Manifest[]): Record<string, string> {
  const env: Record<string, string> = {};
  for (const { configMapRef, secretRef } of podOf(manifests).container.envFrom) {
    if (configMapRef) Object.assign(env, dataShape.parse(only(manifests, 'ConfigMap', configMapRef.name)).data);
    if (!secretRef) continue;
    const { data } = dataShape.parse(only(manifests, 'Secret', secretRef.name));
    for (const [name, value] of Object.entries(data)) env[name] = Buffer.from(value, 'base64').toString();
  }
  return env;
}

const load = (manifests: readonly Manifest[]): LoadedConfig =>
  loadConfig(environment(manifests), (path) => {
    throw new Error(`reads ${path}`);
  });

const policies = (manifests: readonly Manifest[]) =>
  manifests.filter(({ kind }) => kind === 'NetworkPolicy').map((each) => policyShape.parse(each).spec);

const test = suite('manifests');

test('every manifest fits the schema of its kind, values and fields', async () => {
  const core = [...example, ...direct];
  assert.deepEqual(await valueProblems(core), []);
  assert.deepEqual(fieldProblems(core), []);
});

test('the schemas would find a wrong value and a misspelt field', async () => {
  const [good] = render('base').filter(({ kind }) => kind === 'PodDisruptionBudget');
  assert.ok(good);
  assert.equal((await valueProblems([{ ...good, spec: { minAvailable: true } }])).length, 1);
  assert.match(fieldProblems([{ ...good, spec: { minAvailabel: 1 } }]).join(), /minAvailabel/);
});

for (const [name, manifests] of Object.entries({ example, direct })) {
  test(`${name}: the gateway accepts the configuration, knows every variable, and needs no more`, () => {
    const loaded = load(manifests);
    assert.deepEqual(loaded.warnings, []);
    assert.deepEqual(loaded.ok ? [] : loaded.problems.map(problemText), []);
  });
}

test('the configuration is the product description: a VM, OPNsense, the key of the VM from the environment', () => {
  const loaded = load(example);
  assert.ok(loaded.ok);
  const { config } = loaded;
  assert.equal(config.workspace.kind, 'vm');
  assert.equal(config.firewall.kind, 'opnsense');
  assert.match(config.vm?.sshKey?.reveal() ?? '', /^-----BEGIN OPENSSH PRIVATE KEY-----\n/);
  assert.equal(config.container.grpcTransport, 'ssh');
  const other = load(direct);
  assert.equal(other.ok && other.config.container.grpcTransport, 'direct');
});

test('secrets are in the Secret, all of them placeholders, and nothing else is', () => {
  const secrets = new Set(describeConfig().flatMap(({ secret, variable }) => (secret ? [variable] : [])));
  const open = dataShape.parse(only(example, 'ConfigMap')).data;
  const hidden = dataShape.parse(only(example, 'Secret')).data;
  assert.deepEqual(
    Object.keys(open).filter((name) => secrets.has(name)),
    [],
  );
  assert.deepEqual(
    Object.keys(hidden).filter((name) => !secrets.has(name)),
    [],
  );
  for (const [name, value] of Object.entries(hidden)) {
    assert.match(Buffer.from(value, 'base64').toString(), /replace-me/, name);
  }
  assert.ok(!JSON.stringify(open).includes('replace-me'));
});

test('two replicas, never fewer than one of them: in rolling updates no pod goes before its successor is ready', () => {
  const { spec, pod } = podOf(example);
  assert.equal(spec.replicas, 2);
  assert.deepEqual(spec.strategy, { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
  const budget = only(example, 'PodDisruptionBudget').spec;
  assert.deepEqual(budget, { minAvailable: 1, selector: spec.selector });
  // What bounds the parts of a drain: a statement 30 s, a task 10 s, requests under way 5 s, the last word to the root 2 s.
  assert.ok(pod.terminationGracePeriodSeconds >= 30 + 10 + 5 + 2);
});

test('probes ask for what exists, at the port that the gateway listens on', async () => {
  const { container } = podOf(example);
  const loaded = load(example);
  assert.ok(loaded.ok);
  const { listenAddr, callbackUrl, startWaitSecs } = loaded.config.server;
  // A start may wait for Mattermost and then for the database; only then the gateway answers.
  assert.ok(startWaitSecs > 0);
  const { periodSeconds, failureThreshold } = container.startupProbe;
  assert.ok(periodSeconds * failureThreshold >= 2 * startWaitSecs + 60);
  assert.equal(listenAddr.host, '0.0.0.0');
  assert.equal(loaded.config.inspector.addr?.host, '127.0.0.1');
  assert.deepEqual(container.ports, [{ name: 'http', containerPort: listenAddr.port }]);
  const service = only(example, 'Service');
  assert.deepEqual(service.spec, {
    ports: [{ name: 'http', port: 8000, targetPort: 'http' }],
    selector: podOf(example).spec.selector.matchLabels,
  });
  const callback = new URL(callbackUrl);
  assert.equal(callback.hostname, `${service.metadata.name}.${service.metadata.namespace}`);
  assert.equal(callback.port, '8000');

  const http = await startHttp({
    listen: '127.0.0.1:0',
    health: async () => ({ healthy: false, checks: {} }),
    metrics: createMetrics().registry,
    onCallback: async () => ({}),
    rateLimit: { rps: loaded.config.server.rateLimitRps, burst: loaded.config.server.rateLimitBurst },
    trustedProxies: [],
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
  try {
    const status = async ({ httpGet }: z.infer<typeof probe>): Promise<number> => {
      assert.equal(httpGet.port, 'http');
      return (await fetch(`${http.url}${httpGet.path}`)).status;
    };
    // The database is away here: that makes a pod unready and gets none restarted.
    assert.equal(await status(container.readinessProbe), 503);
    assert.equal(await status(container.livenessProbe), 200);
    assert.equal(await status(container.startupProbe), 200);
    assert.equal((await fetch(`${http.url}${callback.pathname}`, { method: 'POST' })).status, 400);
  } finally {
    await http.close();
  }
});

test('a pod runs without privileges, on a file system it cannot write, with no key to the cluster', () => {
  const { pod, container } = podOf(example);
  assert.equal(pod.automountServiceAccountToken, false);
  const account = only(example, 'ServiceAccount', pod.serviceAccountName);
  assert.equal(account.automountServiceAccountToken, false);
  assert.deepEqual(pod.securityContext, {
    runAsNonRoot: true,
    runAsUser: 1000,
    runAsGroup: 1000,
    seccompProfile: { type: 'RuntimeDefault' },
  });
  assert.deepEqual(container.securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
  assert.deepEqual(container.volumeMounts, [{ name: 'tmp', mountPath: '/tmp' }]);
  assert.deepEqual(pod.volumes, [{ name: 'tmp', emptyDir: { sizeLimit: '64Mi' } }]);
  assert.ok(container.resources.requests.memory && container.resources.limits.memory);
});

test('the network is closed but for HTTP in, and out to what the gateway talks to, each by address', () => {
  const pods = podOf(example).spec.template.metadata.labels;
  const out = (manifests: readonly Manifest[]) =>
    policies(manifests)
      .flatMap(({ egress }) => egress.flatMap(({ ports }) => ports))
      .map(({ port, endPort }) => (endPort === undefined ? `${port}` : `${port}-${endPort}`))
      .sort();
  for (const { podSelector } of policies(direct)) assert.deepEqual(podSelector.matchLabels, pods);
  const closed = policies(render('base'));
  assert.deepEqual(
    closed.map(({ policyTypes }) => policyTypes),
    [['Ingress', 'Egress']],
  );
  assert.deepEqual(out(render('base')), ['53', '53']);
  const ingress = policies(direct).flatMap((each) =>
    each.ingress.flatMap(({ ports }) => ports.map(({ port }) => port)),
  );
  assert.deepEqual(ingress, [8000]);
  assert.deepEqual(out(example), ['22', '443', '443', '53', '53', '5432']);
  assert.deepEqual(out(direct), [...out(example), '50051-50099'].sort());
});

test('the names of configuration and secret change with their content, so that a change rolls the pods', () => {
  for (const kind of ['ConfigMap', 'Secret']) {
    assert.match(only(example, kind).metadata.name, /^claude-session-manager-[a-z0-9]{10}$/);
  }
  assert.notEqual(only(example, 'ConfigMap').metadata.name, only(direct, 'ConfigMap').metadata.name);
});

test('monitoring asks for figures that the gateway has, at a port that it has', async () => {
  const metrics = createMetrics();
  const zero = () => [{ value: 0 }];
  metrics.read({
    leading: zero,
    outboxAge: zero,
    deadLetters: () => [{ labels: { reason: 'poison' }, value: 0 }],
    linkUp: () => [{ labels: { link: 'chat' }, value: 1 }],
    queueDepth: () => [{ labels: { queue: 'inbox' }, value: 1 }],
  });
  const text = await metrics.registry.metrics();
  const alerts = JSON.stringify(only(monitored, 'PrometheusRule').spec);
  const used = new Set(alerts.match(/csm_\w+/g));
  assert.ok(used.size >= 6);
  for (const name of used) assert.match(text, new RegExp(`^${name}\\b`, 'm'), name);
  const monitor = z
    .object({ podMetricsEndpoints: z.tuple([z.object({ port: z.string(), path: z.string() }).loose()]) })
    .loose()
    .parse(only(monitored, 'PodMonitor').spec);
  assert.equal(monitor.podMetricsEndpoints[0].port, 'http');
  assert.equal(monitor.podMetricsEndpoints[0].path, '/metrics');
});

test('the release that the example names is the present one', () => {
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(join(DEPLOY, '../../package.json'), 'utf8')));
  assert.match(podOf(example).container.image, new RegExp(`:${version.replaceAll('.', '\\.')}$`));
});

test.run();
