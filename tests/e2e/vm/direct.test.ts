// @limit 600
// Workers that are reached without SSH: their port is open at the VM's address, and nothing goes over it unencrypted.
import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Person, person } from '../../support/person.ts';
import { startVmEnvironment, type VmEnvironment } from '../../support/vm/environment.ts';
import { answers, hearAfter, LONG_MS, said } from '../../support/vm/patience.ts';

const test = suite<{ environment: VmEnvironment; you: Person }>('direct transport');

test.before(async (context) => {
  context.environment = await startVmEnvironment({ gatewayEnv: { SM_GRPC_TRANSPORT: 'direct' } });
  context.you = person(context.environment);
});
test.after(async ({ environment }) => environment?.stop());

test('a session works over a port of the VM, with the certificate that was made for its container', async (context) => {
  const { environment, you } = context;
  const { vm } = environment;
  const thread = await you.start('@claude start acme/web', LONG_MS);
  await answers(you, thread, 'over-the-network');
  const [container = ''] = await vm.containers();
  const [details] = JSON.parse(await vm.podman('container', 'inspect', container));
  const [binding] = details.HostConfig.PortBindings['25051/tcp'];
  assert.is(binding.HostIp, vm.address, 'open at the address the gateway dials, and at no other');

  const port = Number(binding.HostPort);
  const secured = connectTls({ host: vm.address, port, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
  await once(secured, 'secureConnect');
  assert.is(secured.getPeerCertificate().subject.CN, 'agent-worker');
  secured.destroy();

  const plain = connectPlain({ host: vm.address, port });
  let heard = '';
  plain.on('data', (data) => {
    heard += data.toString('latin1');
  });
  plain.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  await once(plain, 'close');
  assert.not.match(heard, /^\0\0.\x04/, 'no HTTP/2 settings for who does not speak TLS');
  await answers(you, thread, 'still-there');
});

test('another transport, and back: the session moves on to a container that is reached that way, memory and all', async ({
  environment,
  you,
}) => {
  const { vm } = environment;
  const thread = await you.start('@claude start acme/plain', LONG_MS);
  await answers(you, thread, 'by-a-port');
  for (const transport of ['ssh', 'direct']) {
    const before = await you.answersIn(thread.rootId);
    await environment.gateway().stop();
    await environment.restartGateway({ SM_GRPC_TRANSPORT: transport });
    await hearAfter(you, thread, before, /SM_GRPC_TRANSPORT|being recovered/);
    await answers(you, thread, `by-${transport}`);
    const [container = ''] = (await vm.podman('ps', '--quiet', '--filter', 'label=csm.repo=acme/plain')).split('\n');
    const words = ['container', 'inspect', '--format', '{{json .HostConfig.PortBindings}}', container];
    const bindings: Record<string, { HostIp: string }[]> = JSON.parse(await vm.podman(...words));
    assert.is(bindings['25051/tcp']?.[0]?.HostIp, transport === 'ssh' ? '127.0.0.1' : vm.address);
  }
  assert.not.match(await said(you, thread), /memory of this conversation could not be restored/);
});

test.run();
