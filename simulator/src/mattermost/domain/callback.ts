import http from 'node:http';
import https from 'node:https';
import { gunzipSync } from 'node:zlib';

const CONNECT_MS = 3_000;
const TOTAL_MS = 30_000;
const ANSWER_BYTES = 1024 * 1024;

export interface CallbackAnswer {
  status: number;
  body: string;
}

/**
 * Calls an integration as the server does: an unsigned POST without any token, 3 s to connect, 30 s in all, an answer
 * of at most 1 MiB, no second try. Rejects when no complete answer arrives.
 */
export function callIntegration(url: URL, body: string): Promise<CallbackAnswer> {
  return new Promise((resolve, reject) => {
    const { request } = url.protocol === 'https:' ? https : http;
    const call = request(url, {
      method: 'POST',
      agent: false,
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/json',
        'User-Agent': 'Mattermost-Bot/1.1',
        'Accept-Encoding': 'gzip',
        'Content-Length': Buffer.byteLength(body),
      },
    });
    const connectTimer = setTimeout(() => call.destroy(new Error('could not connect in time')), CONNECT_MS);
    const totalTimer = setTimeout(() => call.destroy(new Error('no answer in time')), TOTAL_MS);
    const settle = (act: () => void) => {
      clearTimeout(connectTimer);
      clearTimeout(totalTimer);
      act();
    };
    call.on('socket', (socket) => {
      socket.on('connect', () => clearTimeout(connectTimer));
    });
    call.on('error', (error) => settle(() => reject(error)));
    call.on('response', (answer) => {
      const chunks: Buffer[] = [];
      let size = 0;
      answer.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > ANSWER_BYTES) call.destroy(new Error('the answer is too large'));
        else chunks.push(chunk);
      });
      answer.on('error', (error) => settle(() => reject(error)));
      answer.on('end', () => {
        settle(() => {
          const raw = Buffer.concat(chunks);
          const plain = answer.headers['content-encoding'] === 'gzip' && raw.length > 0 ? gunzipSync(raw) : raw;
          resolve({ status: answer.statusCode ?? 0, body: plain.toString('utf8') });
        });
      });
    });
    call.end(body);
  });
}
