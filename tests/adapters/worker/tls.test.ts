// A real worker served with TLS, and a gateway that takes no other certificate than the worker's own.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceError } from '@grpc/grpc-js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  makePlace,
  type Place,
  startWorkerProcess,
  TOKEN,
  type WorkerProcess,
} from '../../../agent-worker/tests/support/workerProcess.ts';
import { workerCertificate } from '../../../src/adapters/worker/certificate.ts';
import { connectWorker } from '../../../src/adapters/worker/client.ts';

const OURS = workerCertificate('secret', 'container/acme/app@main', 3);

interface Context {
  place: Place;
  encrypted: WorkerProcess;
  plain: WorkerProcess;
}

const tls = suite<Context>('workers with TLS');

tls.before(async (context) => {
  context.place = makePlace();
  const { root } = context.place;
  writeFileSync(join(root, 'tls.crt'), OURS.certificate);
  writeFileSync(join(root, 'tls.key'), OURS.key, { mode: 0o600 });
  const args = ['--tls-cert', join(root, 'tls.crt'), '--tls-key', join(root, 'tls.key'), '--identity', 'with tls'];
  context.encrypted = await startWorkerProcess({ place: context.place, args });
  context.plain = await startWorkerProcess({ place: { ...context.place, state: join(root, 'plain') } });
});
tls.after(async ({ encrypted, plain, place }) => {
  await encrypted?.stop();
  await plain?.stop();
  place.remove();
});

/** The identity it tells, or the error. */
async function ask(port: number, certificate?: string): Promise<string> {
  const client = connectWorker(`127.0.0.1:${port}`, TOKEN, certificate);
  try {
    return await new Promise<string>((resolve, reject) =>
      client.stub.describe({}, client.metadata(), { deadline: Date.now() + 20_000 }, (error, answer) =>
        error ? reject(error) : resolve(answer.identity),
      ),
    );
  } finally {
    client.close();
  }
}

async function refusal(work: Promise<string>): Promise<string> {
  return work.then(
    (identity) => `no refusal: ${identity}`,
    (error: ServiceError) => error.details,
  );
}

tls('the gateway talks to a worker with the certificate it was given', async ({ encrypted }) => {
  assert.is(await ask(encrypted.port, OURS.certificate), 'with tls');
});

tls('another worker’s certificate is refused, though it has the same name', async ({ encrypted }) => {
  for (const other of [
    workerCertificate('secret', 'container/acme/app@main', 4),
    workerCertificate('secret', 'container/acme/other@main', 3),
    workerCertificate('another', 'container/acme/app@main', 3),
  ]) {
    assert.match(await refusal(ask(encrypted.port, other.certificate)), /certificate/i);
  }
});

tls('there is no way without TLS on either side', async ({ encrypted, plain }) => {
  assert.not.match(await refusal(ask(encrypted.port)), /no refusal/);
  assert.not.match(await refusal(ask(plain.port, OURS.certificate)), /no refusal/);
});

tls('a certificate is derived anew just the same, and is sound', () => {
  assert.equal(workerCertificate('secret', 'container/acme/app@main', 3), OURS);
  const certificate = new X509Certificate(OURS.certificate);
  assert.ok(certificate.verify(certificate.publicKey));
  assert.ok(certificate.checkPrivateKey(createPrivateKey(OURS.key)));
  assert.is(certificate.checkHost('agent-worker'), 'agent-worker');
  assert.is(certificate.subject, 'CN=agent-worker');
  assert.ok(new Date(certificate.validTo).getFullYear() > 9000);
  for (let generation = 0; generation < 200; generation += 1) {
    const { serialNumber } = new X509Certificate(workerCertificate('s', 'c', generation).certificate);
    assert.is(serialNumber.length, 32);
  }
});

tls.run();
