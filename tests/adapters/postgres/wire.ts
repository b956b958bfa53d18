/** A proxy that knows enough of PostgreSQL's protocol to answer in the server's place. */
import { connect, createServer, type Socket } from 'node:net';

export interface WireProxy {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

export interface WireBehaviour {
  /** Looks at the parameters a client starts with. @returns the message of the error that the client gets instead of a session. */
  refuse?(parameters: ReadonlyMap<string, string>): string | undefined;
  /**
   * After how many times that the server is ready for a query the connection is ended in the same breath, as when an
   * administrator ends it just then; undefined: never. Asked once per connection.
   */
  endAfter?(): number | undefined;
}

/** https://www.postgresql.org/docs/current/protocol-message-formats.html */
export async function startWireProxy(socketPath: string, behaviour: WireBehaviour): Promise<WireProxy> {
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect(socketPath);
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.once('data', (startup: Buffer) => {
      const refusal = behaviour.refuse?.(parametersOf(startup));
      if (refusal !== undefined) {
        client.end(errorResponse('08P01', refusal));
        return;
      }
      upstream.write(startup);
      client.on('data', (chunk: Buffer) => upstream.write(chunk));
    });
    let left = behaviour.endAfter?.();
    upstream.on('data', (chunk: Buffer) => {
      if (left !== undefined && isReady(chunk)) {
        left -= 1;
        if (left === 0) {
          client.end(
            Buffer.concat([chunk, errorResponse('57P01', 'terminating connection due to administrator command')]),
          );
          return;
        }
      }
      client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    host: '127.0.0.1',
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

/** The startup packet: its length, the protocol's version, then names and values, each ended by a zero. */
function parametersOf(startup: Buffer): ReadonlyMap<string, string> {
  const words = startup.subarray(8).toString('utf8').split('\0');
  const parameters = new Map<string, string>();
  for (let at = 0; at + 1 < words.length; at += 2) parameters.set(words[at] ?? '', words[at + 1] ?? '');
  return parameters;
}

/** What was read ends with ReadyForQuery. */
function isReady(chunk: Buffer): boolean {
  return chunk.length >= 6 && chunk.subarray(-6, -1).equals(Buffer.from([0x5a, 0, 0, 0, 5]));
}

function errorResponse(code: string, message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${message}\0RProcessInterrupts\0\0`);
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}
