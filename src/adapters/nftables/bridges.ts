/**
 * Which interfaces of the VM its walls stand at. A project's compose file makes networks of its own, each with a bridge of its own:
 * walls that do not stand there hold nobody.
 */

/**
 * @param interfaces where containers are
 * @param bridges names of interfaces, or their beginnings with a `*`, as nft reads it
 * @returns those that have no walls
 */
export function unwalled(interfaces: readonly string[], bridges: readonly string[]): readonly string[] {
  return interfaces.filter((name) => !bridges.some((bridge) => names(bridge, name)));
}

function names(bridge: string, name: string): boolean {
  return bridge.endsWith('*') ? name.startsWith(bridge.slice(0, -1)) : name === bridge;
}
