/**
 * Whose images a compose project builds. A service with both `build` and `image` gives what it builds that name, on the
 * whole VM: another repository that asks for the name would get it.
 */
import type { ComposeFile } from './compose.ts';
import { type Data, isData } from './shape.ts';

/** Names of the services whose image is built, by themselves or by what they extend, in whichever file that stands. */
export function builtServices(files: readonly ComposeFile[]): readonly string[] {
  const parts = files.flatMap(({ document }) => {
    const { services } = isData(document) ? document : {};
    return Object.entries(isData(services) ? services : {}).flatMap(([name, service]) =>
      isData(service) ? [{ name, service }] : [],
    );
  });
  const isBuilt = (name: string, seen: readonly string[]): boolean =>
    parts.some(
      (part) =>
        part.name === name &&
        ((part.service.build !== undefined && part.service.build !== null) ||
          extendedBy(part.service).some((base) => !seen.includes(base) && isBuilt(base, [...seen, base]))),
    );
  return [...new Set(parts.map(({ name }) => name))].filter((name) => isBuilt(name, [name]));
}

function extendedBy(service: Data): readonly string[] {
  const base = isData(service.extends) ? service.extends.service : service.extends;
  return typeof base === 'string' ? [base] : [];
}

/** What an image that is built here is called instead of what its file says. */
export function ownImage(key: string, service: string): string {
  return `localhost/csm-${key}:${service}`;
}
