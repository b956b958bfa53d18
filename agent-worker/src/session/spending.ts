// What a turn costs while it runs. Claude Code only knows the total of its process, so what it was when the turn began is
// taken off. Where it cannot be asked nothing is said; the end of the turn tells its cost in any case.

export interface SpendingPorts {
  /** The total of the agent's process in USD; undefined if it cannot tell. */
  ask(): Promise<number | undefined>;
  /** Milliseconds between two questions; 0: none are asked. */
  everyMs(): number;
  now(): number;
  tell(turnId: string, costUsd: number): void;
  failed(error: unknown): void;
}

export interface Spending {
  turnBegan(turnId: string): void;
  /** A turn has done something that may have cost. */
  wentOn(turnId: string): void;
}

export function createSpending(ports: SpendingPorts): Spending {
  let current = began('', 0);

  return {
    turnBegan(turnId) {
      const turn = began(turnId, ports.now());
      current = turn;
      if (ports.everyMs() === 0) return;
      ports.ask().then((total) => {
        turn.before = total;
      }, ports.failed);
    },
    wentOn(turnId) {
      const turn = current;
      const everyMs = ports.everyMs();
      if (everyMs === 0 || turn.turnId !== turnId || ports.now() - turn.askedAt < everyMs) return;
      turn.askedAt = ports.now();
      ports
        .ask()
        .then((total) => {
          if (total === undefined || turn.before === undefined || current !== turn) return;
          const cost = total - turn.before;
          if (cost <= turn.told) return;
          turn.told = cost;
          ports.tell(turnId, cost);
        })
        .catch(ports.failed);
    },
  };
}

interface Turn {
  turnId: string;
  /** The total when it began; undefined until that is known. */
  before: number | undefined;
  told: number;
  askedAt: number;
}

function began(turnId: string, askedAt: number): Turn {
  return { turnId, before: undefined, told: 0, askedAt };
}
