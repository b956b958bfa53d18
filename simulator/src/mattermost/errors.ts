/** An error as the server words it: matched by clients on `id` and status, never on the message. */
export class AppError extends Error {
  readonly id: string;
  readonly status: number;
  readonly detail: string;

  constructor(status: number, id: string, message: string, detail = '') {
    super(message);
    this.status = status;
    this.id = id;
    this.detail = detail;
  }
}

/** The JSON of an error reply. */
export function errorBody(error: AppError, requestId: string): Record<string, unknown> {
  return {
    id: error.id,
    message: error.message,
    detailed_error: error.detail,
    request_id: requestId,
    status_code: error.status,
  };
}

export const sessionExpired = () =>
  new AppError(401, 'api.context.session_expired.app_error', 'Invalid or expired session, please login again.');

export const forbidden = () =>
  new AppError(403, 'api.context.permissions.app_error', 'You do not have the appropriate permissions.');

export const noSuchRoute = () => new AppError(404, 'api.context.404.app_error', 'Sorry, we could not find the page.');

export const badUrlParam = (name: string) =>
  new AppError(400, 'api.context.invalid_url_param.app_error', `Invalid or missing ${name} parameter in request URL.`);

export const badBodyParam = (name: string) =>
  new AppError(400, 'api.context.invalid_body_param.app_error', `Invalid or missing ${name} in request body.`);

export const bodyTooLarge = () =>
  new AppError(
    413,
    'api.context.request_body_too_large.app_error',
    'The request body is larger than the server allows.',
  );

export const noSuchPost = () => new AppError(404, 'app.post.get.app_error', 'Unable to get the post.');

export const noSuchUser = () => new AppError(404, 'app.user.missing_account.const', 'Unable to find the user.');
