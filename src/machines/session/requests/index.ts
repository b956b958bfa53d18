/** What a session asks of the outside: each a pure function from context and event to effects. */
export { clear, closeAgent, compact, interruptTurn, planOff, planOn, setModel } from './agent.ts';
export {
  changeMember,
  readTitle,
  setTitle,
  tellContext,
  tellCost,
  tellDiff,
  tellLogs,
  tellNetwork,
  tellTranscript,
  tellVerbosity,
} from './answers.ts';
export { openApproval, withdrawAllApprovals, withdrawApproval } from './approvals.ts';
export { endOrphanedTurn, leaveTurn, loseTurn, rejoinTurn, reportLoss } from './losses.ts';
export {
  askContainerForHelp,
  attachToContainer,
  bindThread,
  declineContainer,
  endGrants,
  keepPlace,
  leaveContainer,
  openThread,
  prepareWorkspace,
  tidyWorkspace,
} from './place.ts';
export { sendNext, steer } from './prompts.ts';
export { heard, markHeld, markSteered, unmarkDropped, unmarkHeld, unmarkSent } from './signs.ts';
