/** Answers that are not a result: refusals, errors, nothing there. */

export class Refused extends Error {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
    this.body = { status, message };
  }
}

/** What the server answers when its own code fails. */
export class ServerError extends Refused {
  override readonly body: Readonly<Record<string, unknown>>;
  constructor(message: string, title: string) {
    super(500, message);
    this.body = { errorMessage: message, errorTitle: title };
  }
}

export const authenticationFailed = () => new Refused(401, 'Authentication Failed');
export const forbidden = () => new Refused(403, 'Forbidden');
export const invalidJson = () => new Refused(400, 'Invalid JSON syntax');
export const noEndpoint = () => new Refused(404, 'Endpoint not found');
