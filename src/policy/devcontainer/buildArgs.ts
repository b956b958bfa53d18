/** Values that builds are given from outside of their Dockerfiles, wherever a configuration says them. */
import { isData, splitAtEquals } from './shape.ts';

/** By name; undefined for a value that is known only when it runs. One name may have several: which build gets which is not told. */
export type BuildArgs = ReadonlyMap<string, readonly (string | undefined)[]>;

export function buildArgsOf(config: unknown, compose: readonly { readonly document: unknown }[]): BuildArgs {
  const all = new Map<string, (string | undefined)[]>();
  const add = (name: string, value: unknown): void => {
    const isKnown = ['string', 'number', 'boolean'].includes(typeof value) && !String(value).includes('$');
    all.set(name, [...(all.get(name) ?? []), isKnown ? String(value) : undefined]);
  };
  const addAll = (args: unknown): void => {
    if (isData(args)) for (const [name, value] of Object.entries(args)) add(name, value);
    else if (Array.isArray(args)) for (const item of args) addText(String(item));
  };
  const addText = (text: string): void => add(...splitAtEquals(text));
  const build = isData(config) && isData(config.build) ? config.build : {};
  addAll(build.args);
  const options: readonly unknown[] = Array.isArray(build.options) ? build.options : [];
  for (const [index, option] of options.entries()) {
    const [name, given = options[index + 1]] = splitAtEquals(String(option));
    if (name === '--build-arg') addText(String(given ?? ''));
  }
  for (const { document } of compose) {
    const services = isData(document) && isData(document.services) ? Object.values(document.services) : [];
    for (const service of services) if (isData(service) && isData(service.build)) addAll(service.build.args);
  }
  return all;
}
