/** What a repository's devcontainer may do: merged with what is ours, and vetted. */
export type { ComposeFile } from './compose.ts';
export { builtServices } from './composeImages.ts';
export {
  type Additions,
  bytesOf,
  composeAdditions,
  HOME_FOLDER,
  type Limits,
  type Merged,
  mergeConfig,
  WORKER_FOLDER,
  WORKTREES_FOLDER,
} from './merge.ts';
export type { OwnVolumes } from './places.ts';
export {
  type DevcontainerRules,
  type Note,
  type Refusal,
  refusalText,
  type Verdict,
} from './verdict.ts';
export { type DevcontainerInput, placesToLookUp, vetDevcontainer } from './vet.ts';
