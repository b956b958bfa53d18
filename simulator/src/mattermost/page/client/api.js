const session = document.querySelector('meta[name=session]')?.getAttribute('content') ?? '';

/** The token of this page's session. */
export const token = session;

/**
 * A request to the API.
 * @param {string} method
 * @param {string} path below /api/v4
 * @param {unknown} [body] sent as JSON, or as it is when it is a form
 * @returns {Promise<any>}
 * @throws {Error} with the server's message when the answer is no success
 */
export async function call(method, path, body) {
  const form = body instanceof FormData;
  const answer = await fetch(`/api/v4${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${session}`,
      ...(form || body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: form ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  const value = readJson(text);
  if (!answer.ok) throw new Error(value?.message || `${answer.status} ${answer.statusText}`);
  return value;
}

/** @param {string} text */
function readJson(text) {
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The content of a file, as an address that works in this page only.
 * @param {string} fileId
 */
export async function fileAddress(fileId) {
  const answer = await fetch(`/api/v4/files/${fileId}`, { headers: { Authorization: `Bearer ${session}` } });
  if (!answer.ok) throw new Error('The file is not there any more.');
  return URL.createObjectURL(await answer.blob());
}
