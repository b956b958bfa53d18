/** `never[2].host: `; lists are counted from 1, as people do. */
export function placeOf(path: readonly PropertyKey[]): string {
  const place = path.map((step) => (typeof step === 'number' ? `[${step + 1}]` : `.${String(step)}`)).join('');
  return place === '' ? '' : `${place.slice(1)}: `;
}
