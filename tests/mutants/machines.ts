/** Cards, memories and containers that outlive processes and machines. */
import type { Mutant } from './mutant.ts';

const CARDS = 'tests/crash/cards.test.ts';
const FAULTS = 'tests/e2e/vm/machineFaults.test.ts';
const COMPOSE_WALLS = 'tests/e2e/vm/composeWalls.test.ts';
const VM_MEMORY = 'tests/e2e/vm/memory.test.ts';

export const MACHINES: readonly Mutant[] = [
  {
    of: 'RT-20',
    wrong: 'a button counts only in the process that made it',
    test: CARDS,
    file: 'src/wiring.ts',
    find: 'return { secret: server.callbackSecret.reveal(), instance: mattermost.teamId };',
    replace:
      'return { secret: server.callbackSecret.reveal(), instance: `${mattermost.teamId} ${process.pid} ${performance.timeOrigin}` };',
  },
  {
    of: 'RT-22',
    wrong: 'a session has one request at a time',
    test: CARDS,
    file: 'src/machines/addresses.ts',
    find: 'return `approval/${keyOf(session)}/${requestId}`;',
    replace: 'return `approval/${keyOf(session)}/one`;',
  },
  {
    of: 'RT-32',
    wrong: 'what was said is not given back to who has forgotten it',
    test: 'tests/e2e/memory.test.ts',
    file: 'src/flows/history.ts',
    find: 'const said = speechesIn(entries);',
    replace: 'const said = speechesIn(entries.slice(entries.length));',
  },
  {
    of: 'RT-32',
    wrong: 'who has forgotten everything does not say so',
    test: VM_MEMORY,
    file: 'agent-worker/src/session/session.ts',
    find: 'stored.historyLost = true;',
    replace: 'stored.historyLost = false;',
  },
  {
    of: 'RT-33',
    wrong: 'who is resumed has forgotten everything',
    test: VM_MEMORY,
    file: 'agent-worker/src/session/agentStart.ts',
    find: 'resumeId: session.stored.agentSessionId,',
    replace: "resumeId: '',",
  },
  {
    of: 'RT-34',
    wrong: 'the worker hears that words are kept before they are',
    test: 'tests/crash/turnKilled.test.ts',
    file: 'src/adapters/worker/link.ts',
    find: `      const seq = await flush(ports, input.session, reading);
      live.write({ $case: 'ack', value: { seq } });`,
    replace: `      live.write({ $case: 'ack', value: { seq: reading.rows.at(-1)?.seq ?? 0 } });
      await flush(ports, input.session, reading);`,
  },
  {
    of: 'RT-36',
    wrong: 'what nobody uses stays',
    test: 'tests/e2e/vm/cycles.test.ts',
    file: 'src/machines/container.ts',
    find: "after: { idleMs: { target: '#container.removing' } },",
    replace: '',
  },
  {
    of: 'RT-38',
    wrong: 'after a restart no container is known',
    test: FAULTS,
    file: 'src/flows/vmWorkspace/sweep.ts',
    find: "return (status === 'active' || status === 'parked') && value !== 'removed';",
    replace: "return status === 'parked' && value !== 'removed';",
  },
  {
    of: 'RT-39',
    wrong: 'of what takes too long only the first process is ended',
    test: 'tests/e2e/vm/repositories.test.ts',
    file: 'src/adapters/ssh/wrapper.ts',
    find: `kill -s "$1" -- "-$pid" "$pid"
  for stat in /proc/[0-9]*/stat; do`,
    replace: `kill -s "$1" "$pid"
  for stat in /proc/none/stat; do`,
  },
  {
    of: 'RT-40',
    wrong: 'the port that was reserved is the only one that is tried',
    test: FAULTS,
    file: 'src/machines/container/actions.ts',
    find: "event.code === 'PORT_TAKEN' && context.takenPorts.length < MOST_PORTS",
    replace: "event.code === 'PORT_TAKEN' && context.takenPorts.length > MOST_PORTS",
  },
  {
    of: 'RT-42',
    wrong: 'only a workspace that stands is ever full',
    test: 'tests/e2e/vm/limit.test.ts',
    file: 'src/machines/container.ts',
    find: `      { guard: 'isFull', actions: 'refuseFull' },
      { guard: 'isMainTaken', actions: 'refuseMain' },
      { actions: ['attach', 'tellComing'] },`,
    replace: `      { guard: 'isMainTaken', actions: 'refuseMain' },
      { actions: ['attach', 'tellComing'] },`,
  },
  {
    of: 'RT-53',
    wrong: 'nobody tries whether the walls hold',
    test: 'tests/e2e/vm/firewall.test.ts',
    file: 'src/wireVm.ts',
    find: 'await proveWallsOf(connect, at);',
    replace: '',
  },
  {
    of: 'RT-53',
    name: 'nothing of a compose project',
    wrong: 'a project is begun wherever its networks are',
    test: COMPOSE_WALLS,
    file: 'src/flows/vmWorkspace/request.ts',
    find: "firewall.kind === 'nftables' ? unwalled([madeAnew], firewall.bridges).join() : ''",
    replace: "''",
  },
  {
    of: 'RT-53',
    name: 'at a bridge without walls',
    wrong: 'nobody looks where containers are',
    test: COMPOSE_WALLS,
    file: 'src/wireVm.ts',
    find: 'await parts.wallsCover(at.container, signal);',
    replace: '',
  },
  {
    of: 'RT-53',
    name: 'at a bridge without walls',
    wrong: 'what nothing holds stays',
    test: COMPOSE_WALLS,
    file: 'src/flows/vmWorkspace/workers.ts',
    find: "failureOf(error).code.startsWith('WALLS_')",
    replace: "failureOf(error).code === ''",
  },
];
