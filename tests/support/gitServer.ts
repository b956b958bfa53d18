/** Real repositories behind a real `git http-backend`, as a forge serves them: over HTTP on loopback, with a login if wanted. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';

export interface GitServer {
  /** Without a repository. */
  readonly url: string;
  readonly requests: string[];
  /** The token that is asked for; empty: none. */
  token: string;
  /** What to answer in place of git. */
  answer: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  close(): Promise<void>;
}

/** @param host the address to listen on */
export async function startGitServer(root: string, token = '', host = '127.0.0.1'): Promise<GitServer> {
  const server = createServer((request, response) => {
    state.requests.push(`${request.method} ${request.url}`);
    if (state.answer?.(request, response)) return;
    const login = Buffer.from(`x-access-token:${state.token}`).toString('base64');
    if (state.token !== '' && request.headers.authorization !== `Basic ${login}`) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end('login please\n');
      return;
    }
    backend(root, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const state: GitServer = {
    url: `http://${host}:${port}`,
    requests: [],
    token,
    answer: undefined,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return state;
}

function backend(root: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const child = spawn('git', ['-c', 'safe.directory=*', 'http-backend'], {
    env: {
      PATH: process.env.PATH,
      HOME: '/nonexistent',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: pathname,
      QUERY_STRING: searchParams.toString(),
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding']?.toString() ?? '',
      GIT_PROTOCOL: request.headers['git-protocol']?.toString() ?? '',
      REMOTE_USER: 'test',
    },
  });
  request.pipe(child.stdin);
  child.stdin.on('error', () => {});
  let head = Buffer.alloc(0);
  child.stdout.on('data', (chunk: Buffer) => {
    if (response.headersSent) return void response.write(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    let status = 200;
    for (const line of head.subarray(0, end).toString().split('\r\n')) {
      const [name = '', value = ''] = line.split(/: (.*)/s);
      if (name === 'Status') status = Number(value.slice(0, 3));
      else response.setHeader(name, value);
    }
    response.writeHead(status);
    response.write(head.subarray(end + 4));
  });
  child.on('close', () => response.end());
}

/** A bare repository `org/name` below the root, and a working copy to change it with. */
export function makeRepository(root: string, repo: string): TestRepository {
  const bare = join(root, `${repo}.git`);
  const work = join(root, '..', 'work', repo);
  mkdirSync(dirname(bare), { recursive: true });
  mkdirSync(work, { recursive: true });
  gitAt('/', 'init', '--quiet', '--bare', '--initial-branch=main', bare);
  gitAt(bare, 'config', 'http.receivepack', 'true');
  gitAt(work, 'init', '--quiet', '--initial-branch=main');
  gitAt(work, 'remote', 'add', 'origin', bare);
  const commit = (message: string): void => {
    gitAt(work, 'add', '--all');
    gitAt(work, 'commit', '--quiet', '--allow-empty', '-m', message);
  };
  return {
    bare,
    work,
    git: (...args) => gitAt(work, ...args),
    commit,
    push: () => gitAt(work, 'push', '--quiet', '--all', '--force', 'origin'),
  };
}

export interface TestRepository {
  readonly bare: string;
  readonly work: string;
  git(...args: string[]): string;
  commit(message: string): void;
  push(): string;
}

export function gitAt(cwd: string, ...args: string[]): string {
  const settings = [
    'user.name=Test',
    'user.email=test@example.invalid',
    'protocol.file.allow=always',
    'safe.directory=*',
  ];
  return execFileSync('git', [...settings.flatMap((setting) => ['-c', setting]), ...args], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1' },
  });
}
