/** Requests to the inspector's own server. */
import { signal } from '@preact/signals';
import type { ErrorAnswer, OperateAnswer, OperateBody } from '../wire.ts';

/** What went wrong, in the server's words. */
export class AskError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The server wants the token first. */
export const signedOut = signal(false);

export type Query = Readonly<Record<string, string | number | undefined>>;

/** @throws AskError */
export async function ask<Answer>(path: string, query: Query = {}): Promise<Answer> {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return request<Answer>(`/api/${path}${text === '' ? '' : `?${text}`}`, { method: 'GET' });
}

export function operate(body: OperateBody): Promise<OperateAnswer> {
  return post<OperateAnswer>('/api/operate', body);
}

export async function login(token: string): Promise<void> {
  await post('/api/login', { token });
  signedOut.value = false;
}

function post<Answer>(path: string, body: object): Promise<Answer> {
  return request<Answer>(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-csm-inspector': '1' },
    body: JSON.stringify(body),
  });
}

async function request<Answer>(path: string, init: RequestInit): Promise<Answer> {
  let answer: Response;
  try {
    answer = await fetch(path, init);
  } catch {
    throw new AskError(0, 'The gateway cannot be reached.');
  }
  if (answer.ok) return (await answer.json()) as Answer;
  if (answer.status === 401 && path !== '/api/login') signedOut.value = true;
  const said = await answer.json().then(
    (value: ErrorAnswer) => value.error,
    () => '',
  );
  throw new AskError(answer.status, said === '' ? `The gateway answered ${answer.status}.` : said);
}

export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
