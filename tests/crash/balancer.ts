/** What stands before several gateways: passes a request to one that answers, the next one in turn. */
import { createServer, type IncomingMessage, request } from 'node:http';

export interface Balancer {
  close(): Promise<void>;
}

/** @param ports of the gateways that take requests now */
export function startBalancer(port: number, ports: () => readonly number[]): Promise<Balancer> {
  let turn = 0;
  const server = createServer((incoming, outgoing) => {
    const pass = async (): Promise<void> => {
      const body = await read(incoming);
      const all = ports();
      for (let attempt = 0; attempt < all.length; attempt += 1) {
        turn += 1;
        const target = all[turn % all.length];
        const answer = target === undefined ? undefined : await ask(target, incoming, body);
        if (!answer) continue;
        outgoing.writeHead(answer.status, { 'content-type': answer.type });
        outgoing.end(answer.body);
        return;
      }
      outgoing.writeHead(503);
      outgoing.end();
    };
    pass().catch(() => outgoing.destroy());
  });
  return new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () =>
      resolve({
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            server.closeAllConnections();
          }),
      }),
    );
  });
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

/** @returns undefined when nobody answers there. */
function ask(port: number, { method, url, headers }: IncomingMessage, body: Buffer): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const call = request({ host: '127.0.0.1', port, method, path: url, headers, agent: false }, (answer) => {
      const status = answer.statusCode ?? 502;
      const type = answer.headers['content-type'] ?? 'application/json';
      read(answer).then(
        (text) => resolve({ status, type, body: text }),
        () => resolve(undefined),
      );
    });
    call.on('error', () => resolve(undefined));
    call.end(body);
  });
}

async function read(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks);
}
