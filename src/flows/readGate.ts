/**
 * Holds back what the chat's stream tells of a channel until the channel was read up. Otherwise a message from after a gap
 * would move the channel's cursor past those from within it, and a process that died then would never read them; and it
 * would be taken before them.
 */
export interface ReadGate {
  /** Something may be missing in every channel: nothing passes until they are read. */
  close(): void;
  /** What a run that begins now reads up. */
  mark(): number;
  /** The channel was read. Counts only if nothing was missed since the mark. */
  open(channelId: string, mark: number): void;
  /** All channels were read but these. Counts only if nothing was missed since the mark. */
  openAll(mark: number, except: readonly string[]): void;
  /** Resolves when the channel may be listened to. */
  passage(channelId: string): Promise<void>;
}

/** Closed until the first run is over. */
export function createReadGate(): ReadGate {
  let gaps = 1;
  /** Everything is closed but what is in `opened`; otherwise everything is open but what is in `shut`. */
  let closed = true;
  const opened = new Set<string>();
  const shut = new Set<string>();
  let waiting: { readonly channelId: string; readonly resolve: () => void }[] = [];

  const isOpen = (channelId: string): boolean => (closed ? opened.has(channelId) : !shut.has(channelId));

  const letThrough = (): void => {
    const all = waiting;
    waiting = all.filter(({ channelId }) => !isOpen(channelId));
    for (const { channelId, resolve } of all) if (isOpen(channelId)) resolve();
  };

  return {
    close() {
      gaps += 1;
      closed = true;
      opened.clear();
      shut.clear();
    },
    mark: () => gaps,
    open(channelId, mark) {
      if (mark !== gaps) return;
      if (closed) opened.add(channelId);
      else shut.delete(channelId);
      letThrough();
    },
    openAll(mark, except) {
      if (mark !== gaps) return;
      closed = false;
      for (const channelId of except) shut.add(channelId);
      letThrough();
    },
    async passage(channelId) {
      // Closed again between the call and its turn: it waits once more.
      while (!isOpen(channelId)) {
        await new Promise<void>((resolve) => {
          waiting.push({ channelId, resolve });
        });
      }
    },
  };
}
