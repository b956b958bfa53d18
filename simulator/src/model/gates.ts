/** A point in a stream where a test can hold the model. */
export interface Gate {
  /** How many streams stand at the gate now. */
  readonly waiting: number;
  /** Resolves as soon as a stream stands at the gate, or has passed it. */
  reached(): Promise<void>;
  /** Lets everyone pass, now and later. */
  open(): void;
  /** Makes later streams wait again. */
  shut(): void;
}

export interface Gates {
  gate(name: string): Gate;
  /** Waits until the gate is open. Rejects with the signal's reason if the client goes away. */
  pass(name: string, signal: AbortSignal): Promise<void>;
  /** Opens all gates for good: nothing may hang when the server closes. */
  openAll(): void;
}

/** Named gates, all shut at first. `initiallyOpen` names those that are open until somebody shuts them. */
export function createGates(initiallyOpen: string[] = []): Gates {
  const gates = new Map<string, ReturnType<typeof createGate>>();
  let closing = false;
  const find = (name: string) => {
    const known = gates.get(name);
    if (known) return known;
    const made = createGate(closing || initiallyOpen.includes(name));
    gates.set(name, made);
    return made;
  };
  return {
    gate: (name) => find(name).face,
    pass: (name, signal) => find(name).pass(signal),
    openAll() {
      closing = true;
      for (const gate of gates.values()) gate.face.open();
    },
  };
}

function createGate(open: boolean) {
  let isOpen = open;
  let wasReached = false;
  const waiting = new Set<() => void>();
  const watchers = new Set<() => void>();
  const face: Gate = {
    get waiting() {
      return waiting.size;
    },
    reached() {
      return wasReached ? Promise.resolve() : new Promise((resolve) => watchers.add(resolve));
    },
    open() {
      isOpen = true;
      for (const go of waiting) go();
      waiting.clear();
    },
    shut() {
      isOpen = false;
      wasReached = false;
    },
  };
  async function pass(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    wasReached = true;
    for (const tell of watchers) tell();
    watchers.clear();
    if (isOpen) return;
    await new Promise<void>((resolve, reject) => {
      const leave = () => {
        waiting.delete(go);
        reject(signal.reason);
      };
      const go = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      waiting.add(go);
      signal.addEventListener('abort', leave, { once: true });
    });
  }
  return { face, pass };
}
