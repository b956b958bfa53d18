/** nftables on the VM: walls around containers, with ways for each of them. */
export { unwalled } from './bridges.ts';
export type { Live } from './live.ts';
export { askResolver, proveNamesFolder, proveNft, seesBridged } from './proof.ts';
export { resolveOn } from './resolver.ts';
export type { Walls } from './ruleset.ts';
export type { Shell } from './shell.ts';
export { type Held, type NftWalls, nftWalls, type Opening, type WallsOptions } from './walls.ts';
