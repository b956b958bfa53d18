// The bidirectional stream of one session: Attach first, then requests one after the other.
import { Metadata, type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { messageOf } from '../errors.ts';
import type { Attach, SessionRequest, SessionResponse } from '../generated/claude_agent/v1/agent.ts';
import type { Wire } from '../session/link.ts';
import { handleRequest } from '../session/requests.ts';
import type { Session } from '../session/types.ts';
import type { WorkerConfig } from './config.ts';
import type { Registry } from './registry.ts';

type Call = ServerDuplexStream<SessionRequest, SessionResponse>;

export function sessionCall(registry: Registry, config: WorkerConfig, logger: Logger): (call: Call) => void {
  return (call) => {
    // A client may wait for the headers before it says anything.
    call.sendMetadata(new Metadata());
    let session: Session | undefined;
    let leave: () => void = () => undefined;
    let over = false;

    const finish = (code: status, details: string) => {
      if (over) return;
      over = true;
      leave();
      call.emit('error', { code, details });
    };
    const wire: Wire = {
      write: (response) => call.write(response),
      onDrain: (listener) => call.on('drain', listener),
      end: (why, reason) => finish(why === 'taken-over' ? status.ABORTED : status.UNAVAILABLE, reason),
    };
    const attach = (request: Attach) => {
      const found = registry.get(request.sessionId);
      if (found && request.create) registry.update(found, request.create);
      const opened = found ?? (request.create ? registry.create(request.sessionId, request.create) : undefined);
      if (!opened) finish(status.NOT_FOUND, 'The session is unknown and there is nothing to create it from.');
      else if ('problem' in opened) finish(status.INVALID_ARGUMENT, opened.problem);
      else {
        session = opened;
        const left = opened.attach(wire, request);
        if (over) left();
        else leave = left;
      }
    };

    call.on('data', (message: SessionRequest) => {
      if (over) return;
      try {
        const request = message.request;
        if (!session) {
          if (request?.$case === 'attach') attach(request.value);
          else finish(status.FAILED_PRECONDITION, 'The first request must be Attach.');
        } else if (request?.$case === 'attach') {
          finish(status.FAILED_PRECONDITION, 'The stream is attached already.');
        } else if (request) {
          handleRequest(session, request, config, logger.child({ session: session.id }));
        }
      } catch (error) {
        logger.error({ error: messageOf(error) }, 'a request failed');
        finish(status.INTERNAL, messageOf(error));
      }
    });
    call.on('end', () => {
      if (over) return;
      over = true;
      leave();
      call.end();
    });
    call.on('cancelled', () => {
      over = true;
      leave();
    });
    call.on('error', () => {
      over = true;
      leave();
    });
  };
}
