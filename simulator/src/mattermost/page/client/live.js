import { token } from './api.js';

const RETRY_MS = [500, 1000, 2000, 5000];
const PING_MS = 20_000;

/**
 * Keeps a WebSocket open. A browser can only authenticate by challenge, and then every reconnect loses events: after
 * each `onOpen` the page has to fetch what it shows.
 *
 * @param {{ onOpen: () => void, onDown: () => void, onEvent: (event: { event: string, data: any, broadcast: any }) => void }} handlers
 * @returns {{ typing: (channelId: string, parentId: string) => void }}
 */
export function connect(handlers) {
  /** @type {WebSocket | undefined} */
  let socket;
  let failures = 0;
  let seq = 1;
  let expected = 0;
  let heardAt = Date.now();

  const send = (action, data) => {
    if (socket?.readyState !== WebSocket.OPEN) return;
    socket.send(JSON.stringify({ seq, action, data }));
    seq += 1;
  };

  const open = () => {
    const mine = new WebSocket(`ws://${location.host}/api/v4/websocket`);
    socket = mine;
    expected = 0;
    heardAt = Date.now();
    mine.onopen = () => send('authentication_challenge', { token });
    mine.onmessage = (message) => {
      heardAt = Date.now();
      const frame = JSON.parse(message.data);
      if (!('event' in frame)) return;
      if (frame.seq !== expected) {
        mine.close();
        return;
      }
      expected += 1;
      if (frame.event === 'hello') {
        failures = 0;
        handlers.onOpen();
      } else handlers.onEvent(frame);
    };
    mine.onclose = () => {
      handlers.onDown();
      setTimeout(open, RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]);
      failures += 1;
    };
  };

  setInterval(() => {
    if (Date.now() - heardAt > 2 * PING_MS) socket?.close();
    else send('ping');
  }, PING_MS);
  open();
  return { typing: (channelId, parentId) => send('user_typing', { channel_id: channelId, parent_id: parentId }) };
}
