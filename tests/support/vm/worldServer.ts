/**
 * The hosts of a test's internet: HTTPS at port 443 and 8443 of every address of the network it runs in. `/hello` answers,
 * `/stream` never ends. What is meant for the model's address goes to a socket file, because the model is in another network.
 *     worldServer.ts FOLDER-OF-THE-CERTIFICATE SOCKET MODEL-ADDRESS
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTls } from 'node:tls';

const [folder = '', modelSocket = '', modelAddress = ''] = process.argv.slice(2);
const certificate = {
  cert: readFileSync(join(folder, 'cert.pem')),
  key: readFileSync(join(folder, 'key.pem')),
};
let connections = 0;

const web = createServer((request, response) => {
  if (request.url !== '/stream') return void response.end(`hello from ${request.headers.host}\n`);
  const timer = setInterval(() => response.write('still here\n'), 50);
  response.on('close', () => clearInterval(timer));
});

interface Place {
  readonly address: string | undefined;
  readonly port: number | undefined;
}

function say(what: 'connected' | 'ended', place: Place, id: number, error = ''): void {
  console.log(JSON.stringify({ at: Date.now(), what, ...place, id, ...(error === '' ? {} : { error }) }));
}

function serve(port: number, host: string): Promise<void> {
  const server = createTls(certificate, (secured) => {
    if (secured.localAddress !== modelAddress) return void web.emit('connection', secured);
    const model = connect(modelSocket);
    model.on('error', () => secured.destroy());
    secured.on('error', () => model.destroy());
    secured.pipe(model).pipe(secured);
  });
  // Before TLS begins: whoever gets this far has been let through.
  server.on('connection', (socket: Socket) => {
    const place = { address: socket.localAddress, port: socket.localPort };
    const id = ++connections;
    let error = '';
    say('connected', place, id);
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      error = code ?? 'unknown';
    });
    socket.on('close', () => say('ended', place, id, error));
  });
  server.on('tlsClientError', () => undefined);
  return new Promise((resolve) => server.listen({ port, host, ipv6Only: host === '::' }, () => resolve()));
}

await Promise.all([443, 8443].flatMap((port) => [serve(port, '0.0.0.0'), serve(port, '::')]));
console.log('up');
