/**
 * An answer of the API that is not a message. The body's shape and the type names are those of the Messages API:
 * `{type: 'error', error: {type, message}, request_id}`.
 */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
  }
}

const TYPES: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  529: 'overloaded_error',
};

/** The message the API gives when nothing more special is to be said. */
export const USUAL_MESSAGES: Record<number, string> = {
  400: 'The request was refused by the script.',
  401: 'invalid x-api-key',
  403: 'Your API key does not have permission to use the specified resource.',
  404: 'Not found',
  413: 'Request exceeds the maximum size',
  429: "This request would exceed your account's rate limit. Please try again later.",
  500: 'Internal server error',
  529: 'Overloaded',
};

/** The error body of a status. */
export function errorBody(status: number, message: string, requestId: string) {
  return { type: 'error', error: { type: TYPES[status] ?? 'api_error', message }, request_id: requestId };
}
